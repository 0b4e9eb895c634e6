package dev.sortie.nn.hub;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * An HTTP/1.1 server that hands the naked socket to who answers, so that an answer can be as wrong
 * as it likes. One request a connection.
 */
final class RawServer implements AutoCloseable {

  /** What came. */
  record Request(String method, String target, Map<String, String> headers) {
    /** A header, or the empty text. */
    String header(String name) {
      return headers.getOrDefault(name, "");
    }
  }

  /** Answers one request. */
  @FunctionalInterface
  interface Answerer {
    void answer(Request request, Socket socket) throws IOException;
  }

  private final ServerSocket server;
  private final Answerer answerer;
  private final List<Request> seen = new CopyOnWriteArrayList<>();

  RawServer(Answerer answerer) {
    this.answerer = answerer;
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

  /** All requests so far. */
  List<Request> seen() {
    return seen;
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
    try (socket) {
      Request request = read(new BufferedInputStream(socket.getInputStream()));
      seen.add(request);
      answerer.answer(request, socket);
    } catch (IOException e) {
      // the client went away, as many tests want it to
    }
  }

  private static Request read(InputStream in) throws IOException {
    String[] first = line(in).split(" ");
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    return new Request(first[0], first[1], headers);
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new IOException("the request ended early");
      }
      line.write(c);
    }
    return line.toString(StandardCharsets.ISO_8859_1).strip();
  }

  /** Writes status and headers; names and values alternate. */
  static void head(Socket socket, int status, String... headers) throws IOException {
    StringBuilder text =
        new StringBuilder("HTTP/1.1 " + status + " Status\r\nConnection: close\r\n");
    for (int i = 0; i < headers.length; i += 2) {
      text.append(headers[i]).append(": ").append(headers[i + 1]).append("\r\n");
    }
    socket.getOutputStream().write(text.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
  }

  /** Writes bytes of a body. */
  static void body(Socket socket, byte[] bytes, int from, int to) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write(bytes, from, to - from);
    out.flush();
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
