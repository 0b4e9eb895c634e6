package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.http.HttpLimits;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of the page: where they are, what a browser may do with them, that none is missing. */
@Tag("any-kernels")
class PageContractTest {
  private static final Map<String, String> TYPES =
      Map.of(
          "html",
          "text/html; charset=utf-8",
          "css",
          "text/css; charset=utf-8",
          "js",
          "text/javascript; charset=utf-8",
          "svg",
          "image/svg+xml");
  private static final Pattern LINK = Pattern.compile("(?:href|src)=\"([^\"#]+)\"|from '([^']+)'");
  private static final Pattern ELEMENT = Pattern.compile("(?:\\$|getElementById)\\('([a-z-]+)'\\)");
  private static final Pattern ADDRESS = Pattern.compile("(?i)[a-z][a-z0-9+.-]*://[^\\s\"')]+");

  @TempDir private static Path folder;

  private static TinyServer tiny;

  @BeforeAll
  static void start() throws InterruptedException, IOException {
    Path keys = Files.writeString(folder.resolve("keys"), "a-secret-of-the-tests\n");
    tiny =
        new TinyServer(
            folder, new EngineSettings(2, 2, 4096), HttpLimits.DEFAULT, ApiKeys.read(keys));
  }

  @AfterAll
  static void stop() {
    tiny.close();
  }

  /** All files that the page leads to, without a key, by their paths. */
  private static Map<String, RawClient.Answer> files() {
    Map<String, RawClient.Answer> found = new LinkedHashMap<>();
    Deque<String> due = new ArrayDeque<>(List.of("/"));
    while (!due.isEmpty()) {
      String path = due.pop();
      if (found.containsKey(path)) {
        continue;
      }
      RawClient.Answer answer = RawClient.get(tiny.port(), path);
      assertThat(answer.status()).as(path).isEqualTo(200);
      found.put(path, answer);
      Matcher m = LINK.matcher(answer.body());
      while (m.find()) {
        due.add(URI.create(path).resolve(m.group(m.group(1) == null ? 2 : 1)).getPath());
      }
    }
    return found;
  }

  @Test
  void eachFileIsSentWithItsTypeAndAStrictPolicyAndNoKey() {
    Map<String, RawClient.Answer> files = files();
    assertThat(files.keySet())
        .contains("/", "/page/page.css", "/page/icon.svg", "/page/app.js", "/page/api.js");
    files.forEach(
        (path, answer) -> {
          String ending = path.equals("/") ? "html" : path.substring(path.lastIndexOf('.') + 1);
          assertThat(answer.headers())
              .as(path)
              .containsEntry("Content-Type", TYPES.get(ending))
              .containsEntry("Cache-Control", "no-cache")
              .containsEntry("X-Content-Type-Options", "nosniff")
              .containsEntry("Referrer-Policy", "no-referrer");
          Set<String> policy =
              new TreeSet<>(
                  Arrays.asList(answer.headers().get("Content-Security-Policy").split("; ?")));
          assertThat(policy)
              .as(path)
              .containsExactlyInAnyOrder(
                  "default-src 'none'",
                  "script-src 'self'",
                  "style-src 'self'",
                  "connect-src 'self'",
                  "img-src 'self' data:",
                  "base-uri 'none'",
                  "form-action 'none'",
                  "frame-ancestors 'none'");
        });
    assertThat(RawClient.get(tiny.port(), "/props").status()).isEqualTo(401);
  }

  /** All of the page's resources are served, and what is served is a resource. */
  @Test
  void noResourceIsLeftOver() throws IOException {
    try (var resources = Files.list(Path.of("src/main/resources/dev/sortie/eetuning/serve/page"))) {
      List<String> names = resources.map(p -> p.getFileName().toString()).toList();
      assertThat(files().keySet())
          .containsExactlyInAnyOrderElementsOf(
              names.stream().map(n -> n.equals("index.html") ? "/" : "/page/" + n).toList());
    }
  }

  /** The policy would block them; a page that needs them would be broken. */
  @Test
  void nothingComesFromElsewhereAndNothingIsInline() {
    files()
        .forEach(
            (path, answer) -> {
              List<String> addresses =
                  ADDRESS.matcher(answer.body()).results().map(r -> r.group()).toList();
              if (path.endsWith(".svg")) { // the name of its language, which nobody loads
                assertThat(addresses).as(path).containsExactly("http://www.w3.org/2000/svg");
              } else {
                assertThat(addresses).as(path).isEmpty();
              }
              assertThat(answer.body())
                  .as(path)
                  .doesNotContainPattern("(?i)<style|\\sstyle=|\\son[a-z]+=\"|javascript:")
                  .doesNotContainPattern("(?i)<script(?![^>]* src=)[^>]*>")
                  .doesNotContainPattern("innerHTML|\\beval\\(|new Function|@import");
            });
  }

  /** A module that asks for an element by a name that no element has ends the page. */
  @Test
  void modulesNameElementsThatExist() {
    Map<String, RawClient.Answer> files = files();
    Set<String> named = new TreeSet<>();
    files.forEach(
        (path, answer) ->
            ELEMENT.matcher(answer.body()).results().forEach(r -> named.add(r.group(1))));
    assertThat(named)
        .hasSizeGreaterThan(20)
        .allSatisfy(id -> assertThat(files.get("/").body()).contains(" id=\"" + id + "\""));
  }

  @Test
  void aBrowserThatHasAFileIsToldSo() {
    try (RawClient client = new RawClient(tiny.port())) {
      String tag = RawClient.get(tiny.port(), "/page/app.js").headers().get("ETag");
      assertThat(tag).matches("\"[0-9a-f]{24}\"");
      for (String known : List.of(tag, "W/" + tag, "\"other\", " + tag)) {
        client.write(
            "GET /page/app.js HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: %s\r\n\r\n"
                .formatted(known));
        RawClient.Answer answer = client.head();
        assertThat(answer.status()).isEqualTo(304);
        assertThat(answer.headers())
            .containsEntry("ETag", tag)
            .doesNotContainKeys("Content-Length", "Transfer-Encoding");
      }
      client.write(
          "GET /page/app.js HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"other\"\r\n\r\n");
      assertThat(client.read().status()).isEqualTo(200);
    }
  }

  @Test
  void otherPathsAndMethodsAreNoFiles() {
    String key = "X-Api-Key: a-secret-of-the-tests";
    assertThat(tiny.post("/", "{}", key).status()).isEqualTo(405);
    for (String path : List.of("/page", "/page/", "/page/none.js", "/page/..%2fapi/openapi.json")) {
      assertThat(tiny.post(path, "{}", key).status()).as(path).isEqualTo(404);
    }
    assertThat(RawClient.get(tiny.port(), "/page/none.js").status()).isEqualTo(401);
  }
}
