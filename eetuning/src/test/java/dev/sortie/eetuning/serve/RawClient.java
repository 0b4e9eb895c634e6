package dev.sortie.eetuning.serve;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** HTTP/1.1 by hand, so that a test can do what no client library does. */
final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 30_000;

  private final Socket socket;
  private final InputStream in;

  /** An answer with all of its body. */
  record Answer(int status, Map<String, String> headers, String body) {
    JsonObject json() {
      return Json.parse("answer", body, JsonLimits.DATA);
    }

    JsonObject error() {
      return json().getObject("error");
    }

    /** The data of all events but the word that ends a stream. */
    List<JsonObject> events() {
      List<JsonObject> events = new ArrayList<>();
      body.lines()
          .filter(l -> l.startsWith("data: {"))
          .forEach(l -> events.add(Json.parse("event", l.substring(6), JsonLimits.DATA)));
      return events;
    }
  }

  RawClient(int port) {
    this(port, 0);
  }

  /**
   * @param receiveBuffer bytes that may wait here unread; 0 leaves it to the system
   */
  RawClient(int port, int receiveBuffer) {
    try {
      socket = new Socket();
      if (receiveBuffer > 0) {
        socket.setReceiveBufferSize(receiveBuffer);
      }
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      socket.setSoTimeout(PATIENCE_MILLIS);
      in = new BufferedInputStream(socket.getInputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Answer get(int port, String path) {
    try (RawClient client = new RawClient(port)) {
      client.write("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
      return client.read();
    }
  }

  static Answer post(int port, String path, String json, String... headers) {
    try (RawClient client = new RawClient(port)) {
      client.ask(path, json, headers);
      return client.read();
    }
  }

  /** Sends a request without waiting for its answer. */
  void ask(String path, String json, String... headers) {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    StringBuilder head = new StringBuilder("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n");
    for (String header : headers) {
      head.append(header).append("\r\n");
    }
    write(head + "Content-Length: " + body.length + "\r\n\r\n");
    write(body);
  }

  void write(String text) {
    write(text.getBytes(StandardCharsets.UTF_8));
  }

  void write(byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      socket.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next line, without its end. */
  String line() {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    try {
      for (int b; (b = in.read()) != '\n'; ) {
        if (b < 0) {
          throw new EOFException("the connection ended after '" + line + "'");
        }
        line.write(b);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return line.toString(StandardCharsets.UTF_8).strip();
  }

  /** Reads status and headers. */
  Answer head() {
    int status = Integer.parseInt(line().split(" ")[1]);
    Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line; !(line = line()).isEmpty(); ) {
      int colon = line.indexOf(':');
      headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
    }
    return new Answer(status, headers, "");
  }

  Answer read() {
    Answer head = head();
    try {
      String length = head.headers().get("Content-Length");
      byte[] body = length == null ? chunks() : in.readNBytes(Integer.parseInt(length));
      return new Answer(head.status(), head.headers(), new String(body, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] chunks() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int size; (size = Integer.parseInt(line(), 16)) > 0; ) {
      body.write(in.readNBytes(size));
      line();
    }
    line();
    return body.toByteArray();
  }

  /** Whether the server has ended the connection, or does within its patience. */
  boolean isEnded() {
    try {
      while (in.read() >= 0) {
        continue;
      }
      return true;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /** Leaves as a process does that is killed. */
  void vanish() {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
