package dev.sortie.tests;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A Chromium without a window, driven over the DevTools protocol: commands and their results, and
 * the events of its tabs. {@code SORTIE_CHROMIUM} names the program; by default it is Debian's.
 */
final class Chromium implements AutoCloseable {
  private static final int START_SECONDS = 60;
  private static final int ANSWER_SECONDS = 60;

  private static final Path PROGRAM =
      Path.of(System.getenv().getOrDefault("SORTIE_CHROMIUM", "/usr/bin/chromium"));

  /** A host name that resolves to this machine, as a hostile site's may. */
  static final String REBOUND = "rebound.test";

  /** Docker gives too little shared memory; no display, no network of its own. */
  private static final List<String> OPTIONS =
      List.of(
          "--headless=new",
          "--disable-gpu",
          "--disable-dev-shm-usage",
          "--disable-background-networking",
          "--no-first-run",
          "--host-resolver-rules=MAP " + REBOUND + " 127.0.0.1",
          "--remote-debugging-port=0");

  private final Process process;
  private final WebSocket socket;
  private final AtomicInteger number = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonObject>> due = new ConcurrentHashMap<>();
  private final Map<String, List<JsonObject>> events = new ConcurrentHashMap<>();

  /** Whether there is one. */
  static boolean isThere() {
    return Files.isExecutable(PROGRAM);
  }

  /**
   * Starts it.
   *
   * @param folder an empty one, for its profile
   */
  Chromium(Path folder) throws InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(PROGRAM.toString(), "--user-data-dir=" + folder));
    command.addAll(OPTIONS);
    if (System.getProperty("user.name").equals("root")) {
      command.add("--no-sandbox"); // it refuses to start with one
    }
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("output").toFile())
              .start();
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
      List<String> address = address(folder);
      socket =
          HttpClient.newHttpClient()
              .newWebSocketBuilder()
              .buildAsync(
                  URI.create("ws://127.0.0.1:" + address.get(0) + address.get(1)), new Listener())
              .join();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Port and path, which it writes down when it listens. */
  private List<String> address(Path folder) throws IOException, InterruptedException {
    Path file = folder.resolve("DevToolsActivePort");
    for (int i = 0; i < START_SECONDS * 20; i++) {
      if (Files.exists(file) && Files.readAllLines(file).size() == 2) {
        return Files.readAllLines(file);
      }
      if (!process.isAlive()) {
        break;
      }
      Thread.sleep(50);
    }
    process.destroyForcibly();
    throw new IOException(
        "the browser does not start: " + Files.readString(folder.resolve("output")));
  }

  /** A new tab that shares nothing with others. */
  BrowserTab open() {
    String context = call("", "Target.createBrowserContext").getString("browserContextId");
    String target =
        call("", "Target.createTarget", "url", "about:blank", "browserContextId", context)
            .getString("targetId");
    String session =
        call("", "Target.attachToTarget", "targetId", target, "flatten", true)
            .getString("sessionId");
    return new BrowserTab(this, session);
  }

  /**
   * Runs a command and waits for its result.
   *
   * @param session the tab, or empty for the browser
   * @param namesAndValues its parameters
   */
  JsonObject call(String session, String method, Object... namesAndValues) {
    int id = number.incrementAndGet();
    Map<String, Object> message =
        Json.object("id", id, "method", method, "params", Json.object(namesAndValues));
    if (!session.isEmpty()) {
      message.put("sessionId", session);
    }
    CompletableFuture<JsonObject> answer = new CompletableFuture<>();
    due.put(id, answer);
    socket.sendText(Json.compact(message), true).join();
    try {
      JsonObject found = answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
      if (found.has("error")) {
        throw new IllegalStateException(method + ": " + found.getObject("error"));
      }
      return found.getObject("result");
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new IllegalStateException(method, e);
    }
  }

  /** What has happened in a tab, in order. */
  List<JsonObject> events(String session) {
    return events.computeIfAbsent(session, _ -> new CopyOnWriteArrayList<>());
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence piece, boolean last) {
      text.append(piece);
      if (last) {
        take(Json.parse("message", text.toString(), JsonLimits.DATA));
        text.setLength(0);
      }
      from.request(1);
      return null;
    }

    private void take(JsonObject message) {
      if (message.has("id")) {
        due.remove(message.getInt("id", 0, Integer.MAX_VALUE)).complete(message);
      } else {
        events(message.optional("sessionId", message::getString).orElse("")).add(message);
      }
    }
  }

  @Override
  public void close() {
    call("", "Browser.close");
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
