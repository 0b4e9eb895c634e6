package dev.sortie.eetuning.serve.page;

import dev.sortie.eetuning.serve.http.HttpExchange;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The files of the page by their paths. None is secret, so none needs a key. */
public final class Page {
  private static final String INDEX = "index.html";
  private static final List<String> PARTS =
      List.of(
          "page.css",
          "icon.svg",
          "app.js",
          "api.js",
          "conversation.js",
          "answer.js",
          "inspector.js",
          "meter.js",
          "difference.js",
          "settings.js",
          "typing.js",
          "way.js");

  private static final Map<String, String> HEADERS =
      Map.of(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
              + " img-src 'self' data:; base-uri 'none'; form-action 'none';"
              + " frame-ancestors 'none'",
          "Referrer-Policy",
          "no-referrer",
          "Cache-Control",
          "no-cache");

  private final Map<String, PageFile> files = new TreeMap<>();

  /** Reads them. */
  public Page() {
    files.put("/", PageFile.of(INDEX));
    PARTS.forEach(name -> files.put("/page/" + name, PageFile.of(name)));
  }

  /** Paths that it answers. */
  public Set<String> paths() {
    return files.keySet();
  }

  /** Sends the file of one of {@link #paths}, or word that the browser has it already. */
  public void send(HttpExchange exchange) {
    PageFile file = files.get(exchange.path());
    Map<String, String> headers = new LinkedHashMap<>(HEADERS);
    headers.put("ETag", file.tag());
    if (exchange.header("If-None-Match").filter(file::isAmong).isPresent()) {
      exchange.respond(304, headers, new byte[0]);
    } else {
      headers.put("Content-Type", file.type());
      exchange.respond(200, headers, file.content());
    }
  }
}
