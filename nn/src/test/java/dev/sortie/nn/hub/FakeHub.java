package dev.sortie.nn.hub;

import dev.sortie.nn.json.Json;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The hub's protocol on this machine, with one repository: a listing, {@code HEAD} and {@code GET}
 * of files, small ones from the hub itself, large ones after a redirection to another host. Faults
 * take the place of right answers.
 */
final class FakeHub implements AutoCloseable {
  static final RepoId REPO = RepoId.parse("acme/tiny-1.0");
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  static final String TOKEN = "hf_secret";

  /** Large files are served from here; another port is another host. */
  final RawServer store = new RawServer((r, s) -> serve(false, r, s));

  final RawServer hub = new RawServer((r, s) -> serve(true, r, s));

  private final Map<String, byte[]> files = new LinkedHashMap<>();
  private final Map<String, Boolean> large = new LinkedHashMap<>();
  private final List<Fault> faults = new CopyOnWriteArrayList<>();
  private final Map<String, Object> listing = new LinkedHashMap<>();

  /** A wrong answer to the first {@code times} requests that it fits. */
  private record Fault(String method, String part, AtomicInteger left, RawServer.Answerer answer) {}

  FakeHub() {
    small("config.json", "{\"model_type\":\"llama\"}\n");
    small("tokenizer.json", "{}");
    small("README.md", "# not needed to run\n");
    large("model.safetensors", bytes(200_000, 1));
    large("pytorch_model.bin", bytes(1000, 2));
  }

  static byte[] bytes(int count, long seed) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  FakeHub small(String path, String text) {
    files.put(path, text.getBytes(StandardCharsets.UTF_8));
    large.put(path, false);
    return this;
  }

  FakeHub large(String path, byte[] bytes) {
    files.put(path, bytes);
    large.put(path, true);
    return this;
  }

  FakeHub without(String path) {
    files.remove(path);
    return this;
  }

  byte[] file(String path) {
    return files.get(path);
  }

  /** Puts a field of the listing. */
  FakeHub listing(String field, Object value) {
    listing.put(field, value);
    return this;
  }

  /** Requests whose target contains {@code part} get another answer, {@code times} times. */
  FakeHub fault(String method, String part, int times, RawServer.Answerer answer) {
    faults.add(new Fault(method, part, new AtomicInteger(times), answer));
    return this;
  }

  /**
   * Of a pull that waits longer for an answer than a busy machine needs to give it; one that never
   * comes shows after four tries.
   */
  HubSettings settings(Path cache) {
    return settings(cache, Duration.ofSeconds(20), 1);
  }

  /** Of a pull that gives up a server which sends fewer than {@code least} bytes in 0.8 s. */
  HubSettings impatient(Path cache, int least) {
    return settings(cache, Duration.ofMillis(800), least);
  }

  private HubSettings settings(Path cache, Duration silence, int least) {
    return new HubSettings(
        URI.create(hub.url()),
        Optional.of(HubToken.of(TOKEN, "HF_TOKEN")),
        cache.resolve("token"),
        new HubCache(cache),
        false,
        new RetryPolicy(4, Duration.ofMillis(1), Duration.ofSeconds(5), silence, least));
  }

  /** Name of the blob of a file. */
  String etag(String path) {
    byte[] bytes = files.get(path);
    return large.get(path)
        ? hash("SHA-256", new byte[0], bytes)
        : hash("SHA-1", ("blob " + bytes.length + "\0").getBytes(StandardCharsets.UTF_8), bytes);
  }

  private static String hash(String algorithm, byte[] first, byte[] second) {
    try {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      digest.update(first);
      return HexFormat.of().formatHex(digest.digest(second));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private void serve(boolean atHub, RawServer.Request request, Socket socket) throws IOException {
    for (Fault fault : faults) {
      boolean fits =
          fault.method().equals(request.method()) && request.target().contains(fault.part());
      if (fits && fault.left().getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
        fault.answer().answer(request, socket);
        return;
      }
    }
    String target =
        URLDecoder.decode(request.target().replaceFirst("\\?.*", ""), StandardCharsets.UTF_8);
    String resolve = "/" + REPO + "/resolve/" + COMMIT + "/";
    if (atHub && target.startsWith("/api/models/" + REPO + "/revision/")) {
      json(socket, listingJson());
    } else if (atHub && target.startsWith(resolve)) {
      resolve(request, target.substring(resolve.length()), socket);
    } else if (!atHub && target.startsWith("/blob/")) {
      send(request, files.get(target.substring(6)), socket);
    } else {
      RawServer.head(socket, 404, "x-error-code", "EntryNotFound", "content-length", "0");
    }
  }

  private void resolve(RawServer.Request request, String path, Socket socket) throws IOException {
    byte[] bytes = files.get(path);
    if (bytes == null) {
      RawServer.head(socket, 404, "x-error-code", "EntryNotFound", "content-length", "0");
    } else if (large.get(path)) {
      RawServer.head(
          socket,
          302,
          "location",
          store.url() + "/blob/" + path + "?signature=secret",
          "x-repo-commit",
          COMMIT,
          "x-linked-size",
          Integer.toString(bytes.length),
          "x-linked-etag",
          '"' + etag(path) + '"',
          "etag",
          "\"of-the-redirection\"",
          "content-length",
          "0");
    } else if (request.method().equals("HEAD")) {
      RawServer.head(
          socket,
          200,
          "x-repo-commit",
          COMMIT,
          "etag",
          '"' + etag(path) + '"',
          "content-length",
          Integer.toString(bytes.length));
    } else {
      send(request, bytes, socket);
    }
  }

  /** The whole or, where asked for, the rest. */
  static void send(RawServer.Request request, byte[] bytes, Socket socket) throws IOException {
    String range = request.header("range");
    int from = range.isEmpty() ? 0 : Integer.parseInt(range.replaceAll("bytes=|-$", ""));
    if (from > bytes.length) {
      RawServer.head(socket, 416, "content-length", "0");
      return;
    }
    String length = Integer.toString(bytes.length - from);
    if (range.isEmpty()) {
      RawServer.head(socket, 200, "content-length", length);
    } else {
      String part = "bytes %d-%d/%d".formatted(from, bytes.length - 1, bytes.length);
      RawServer.head(socket, 206, "content-length", length, "content-range", part);
    }
    RawServer.body(socket, bytes, from, bytes.length);
  }

  static void json(Socket socket, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    RawServer.head(socket, 200, "content-length", Integer.toString(bytes.length));
    RawServer.body(socket, bytes, 0, bytes.length);
  }

  private String listingJson() {
    List<Map<String, Object>> siblings = new ArrayList<>();
    files.forEach(
        (path, bytes) -> {
          Map<String, Object> file = new LinkedHashMap<>();
          file.put("rfilename", path);
          file.put("size", bytes.length);
          file.put("blobId", "f".repeat(40));
          if (large.get(path)) {
            file.put("lfs", Map.of("sha256", etag(path), "size", bytes.length, "pointerSize", 134));
          } else {
            file.put("blobId", etag(path));
          }
          siblings.add(file);
        });
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("id", REPO.toString());
    all.put("sha", COMMIT);
    all.put("siblings", siblings);
    all.putAll(listing);
    return Json.compact(all);
  }

  @Override
  public void close() {
    hub.close();
    store.close();
  }
}
