package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.eetuning.serve.http.TlsIdentity;
import dev.sortie.nn.InputException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** HTTPS by the key and certificate of a PKCS12 file. */
@Tag("any-kernels")
class TlsContractTest {
  private static final char[] PASSWORD = "pass-word".toCharArray();

  @TempDir private static Path folder;

  private static Path store;

  @BeforeAll
  static void makeAKey() throws Exception {
    store = folder.resolve("server.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "sortie",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .start();
    assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(keytool.exitValue()).isZero();
  }

  @Test
  void requestsAreAnsweredUnderTlsAndNotWithoutIt() throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      trusted.load(in, PASSWORD);
    }
    KeyStore certificates = KeyStore.getInstance("PKCS12");
    certificates.load(null, null);
    certificates.setCertificateEntry("sortie", trusted.getCertificate("sortie"));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(certificates);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    try (TinyServer tiny =
            new TinyServer(
                folder,
                new EngineSettings(2, 2, 30_000),
                HttpLimits.DEFAULT,
                ApiKeys.none(),
                Optional.of(TlsIdentity.read(store, PASSWORD)),
                TinyServer.TEMPLATE);
        SSLSocket socket =
            (SSLSocket)
                context
                    .getSocketFactory()
                    .createSocket(InetAddress.getLoopbackAddress(), tiny.port())) {
      OutputStream out = socket.getOutputStream();
      String body = "{\"prompt\":\"a\",\"max_tokens\":4}";
      out.write(
          ("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
                  + body.length()
                  + "\r\n\r\n"
                  + body)
              .getBytes(StandardCharsets.US_ASCII));
      out.flush();
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(answer).startsWith("HTTP/1.1 200 OK").contains("text_completion");
      try (RawClient plain = new RawClient(tiny.port())) {
        plain.write("GET /health HTTP/1.1\r\n\r\n");
        assertThat(plain.isEnded()).isTrue();
      }
      // a client that leaves is seen under TLS too
      SSLSocket leaving =
          (SSLSocket)
              context
                  .getSocketFactory()
                  .createSocket(InetAddress.getLoopbackAddress(), tiny.port());
      String endless = "{\"prompt\":\"a\",\"max_tokens\":15000,\"ignore_eos\":true}";
      leaving
          .getOutputStream()
          .write(
              ("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                      + endless.length()
                      + "\r\n\r\n"
                      + endless)
                  .getBytes(StandardCharsets.US_ASCII));
      while (tiny.engine.load().running() == 0) {
        Thread.sleep(2);
      }
      leaving.close();
      assertThat(tiny.isIdleWithinASecond()).isTrue();
    }
  }

  @Test
  void aFileThatIsNoneIsRefusedByName() throws Exception {
    assertThatThrownBy(() -> TlsIdentity.read(store, "other".toCharArray()))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("server.p12", "password");
    Path text = Files.writeString(folder.resolve("text.p12"), "no key");
    assertThatThrownBy(() -> TlsIdentity.read(text, PASSWORD))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("text.p12");
  }
}
