package dev.sortie.eetuning.cli;

import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A hub that has one repository, {@code acme/tiny}: the files of a folder. It makes no mistakes.
 */
final class TinyHub implements AutoCloseable {
  private static final String COMMIT = "c".repeat(40);

  private final Path folder;
  private final ServerSocket server;

  TinyHub(Path folder) {
    this.folder = folder;
    try {
      server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  String url() {
    return "http://127.0.0.1:" + server.getLocalPort();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket socket) {
    try (socket;
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
      String[] request = in.readLine().split(" ");
      while (!in.readLine().isEmpty()) {
        // headers do not matter here
      }
      String resolve = "/acme/tiny/resolve/" + COMMIT + "/";
      if (request[1].startsWith("/api/models/acme/tiny/revision/main")) {
        send(socket, request[0], "listing", listing().getBytes(StandardCharsets.UTF_8));
      } else if (request[1].startsWith(resolve)) {
        byte[] bytes = Files.readAllBytes(folder.resolve(request[1].substring(resolve.length())));
        send(socket, request[0], Sha256.of(bytes), bytes);
      } else {
        socket
            .getOutputStream()
            .write(
                "HTTP/1.1 404 Not Found\r\nX-Error-Code: RepoNotFound\r\nContent-Length: 0\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void send(Socket socket, String method, String etag, byte[] bytes)
      throws IOException {
    OutputStream out = socket.getOutputStream();
    String head =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"%s\"\r\nContent-Length: %d\r\n\r\n"
            .formatted(etag, bytes.length);
    out.write(head.getBytes(StandardCharsets.US_ASCII));
    if (!method.equals("HEAD")) {
      out.write(bytes);
    }
  }

  private String listing() throws IOException {
    List<Map<String, Object>> siblings = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      files.sorted().forEach(f -> siblings.add(Map.of("rfilename", f.getFileName().toString())));
    }
    return Json.compact(Map.of("sha", COMMIT, "siblings", siblings));
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
