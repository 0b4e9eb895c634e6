package dev.sortie.eetuning.serve;

import dev.sortie.eetuning.serve.api.AccessLog;
import dev.sortie.eetuning.serve.api.Api;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.api.ServedModel;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.eetuning.serve.http.HttpServer;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.eetuning.serve.netty.NettyServer;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Requests before those of others: the first request of a process loads some 250 classes and runs
 * in the interpreter what reads JSON, renders templates, encodes texts and sends events, which
 * takes 0.1 s and more. So one of each kind is sent, through a server of its own on a loopback port
 * with a key that nobody else knows. It has its own metrics and no log.
 */
final class Rehearsal {
  private static final System.Logger LOG = System.getLogger(Rehearsal.class.getName());
  private static final Duration MOST = Duration.ofSeconds(8);

  /** Words, numbers, marks and other scripts, since each takes its own way to tokens. */
  static final String TEXT =
      "It's 12 o'clock; in Zürich (and 東京), who isn't asleep? Please tell me, in 2 or 3 sentences: why?";

  private final HttpServer server;
  private final String key;

  private Rehearsal(HttpServer server, String key) {
    this.server = server;
    this.key = key;
  }

  /** Returns when all are answered. What fails here fails again where somebody sees it. */
  static void run(ServedModel served) {
    String key = UUID.randomUUID().toString();
    HttpSettings settings =
        new HttpSettings(
            InetAddress.getLoopbackAddress().getHostAddress(),
            0,
            List.of(),
            Optional.empty(),
            HttpLimits.DEFAULT);
    Api api = new Api(served, settings, ApiKeys.of(key), AccessLog.NONE, MOST);
    try (HttpServer server = NettyServer.start(settings, api)) {
      Rehearsal rehearsal = new Rehearsal(server, key);
      for (boolean stream : new boolean[] {true, false}) {
        String rest = ",\"stream\":%s,\"temperature\":0.7,\"seed\":1".formatted(stream);
        rehearsal.post(
            "/v1/chat/completions",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"max_tokens\":2%s}"
                .formatted(TEXT, rest));
        rehearsal.post(
            "/v1/completions", "{\"prompt\":\"%s\",\"max_tokens\":2%s}".formatted(TEXT, rest));
        rehearsal.post(
            "/v1/responses", "{\"input\":\"%s\",\"max_output_tokens\":2%s}".formatted(TEXT, rest));
      }
    } catch (IOException | InputException e) {
      LOG.log(Level.DEBUG, "no rehearsal", e);
    }
  }

  /** Sends a request and reads its answer. */
  private void post(String path, String json) throws IOException {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    String head =
        "POST %s HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            .formatted(path, key, body.length);
    try (Socket socket = new Socket()) {
      socket.setSoTimeout((int) MOST.toMillis());
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()),
          (int) MOST.toMillis());
      OutputStream out = socket.getOutputStream();
      out.write(head.getBytes(StandardCharsets.US_ASCII));
      out.write(body);
      out.flush();
      InputStream in = socket.getInputStream();
      in.transferTo(OutputStream.nullOutputStream());
    }
  }
}
