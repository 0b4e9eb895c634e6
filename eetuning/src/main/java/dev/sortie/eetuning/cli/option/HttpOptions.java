package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.eetuning.serve.http.TlsIdentity;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.TextFiles;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Where a server listens, to whom, and what one client may cost. */
public final class HttpOptions {
  private static final int MOST_PORT = 65_535;

  @Option(
      names = "--host",
      paramLabel = "H",
      defaultValue = "127.0.0.1",
      description =
          "Name or address of this machine to listen on; 0.0.0.0 is all of them, for which"
              + " --api-keys is a good idea. Default: ${DEFAULT-VALUE}, which other machines cannot"
              + " reach.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8080",
      description = "Port; 0 takes a free one. Default: ${DEFAULT-VALUE}.")
  private int port;

  @Option(
      names = "--api-keys",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "Keys of those who may ask, one on each line; sent as Authorization: Bearer KEY or"
              + " X-Api-Key: KEY. Without it everyone may."
              + ReadOnce.HELP)
  private Path keys;

  @Option(
      names = "--tls",
      paramLabel = "FILE",
      description =
          "A PKCS12 file with the server's private key and certificate; needs --tls-password-file.")
  private Path tls;

  @Option(
      names = "--tls-password-file",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description = "A file with the password of --tls on its first line." + ReadOnce.HELP)
  private Path password;

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      defaultValue = "8388608",
      description = "Bytes of a request's body at most. Default: ${DEFAULT-VALUE}.")
  private int maxBody;

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Connections open at once; one more is closed. Default: ${DEFAULT-VALUE}.")
  private int maxConnections;

  /** For picocli. */
  public HttpOptions() {}

  /** Checked settings. */
  public HttpSettings settings() {
    if (port < 0 || port > MOST_PORT) {
      throw new InputException("--port " + port + " is outside 0 to " + MOST_PORT);
    }
    HttpLimits usual = HttpLimits.DEFAULT;
    HttpLimits limits =
        new HttpLimits(
            maxConnections,
            usual.headerBytes(),
            maxBody,
            usual.requestSeconds(),
            usual.idleSeconds(),
            usual.writeSeconds());
    return new HttpSettings(host, port, identity(), limits);
  }

  private Optional<TlsIdentity> identity() {
    if (tls == null && password == null) {
      return Optional.empty();
    }
    if (tls == null || password == null) {
      throw new InputException("--tls and --tls-password-file go together; give both");
    }
    String line = TextFiles.readAny(password).lines().findFirst().orElse("");
    return Optional.of(TlsIdentity.read(tls, line.toCharArray()));
  }

  /** Who may ask. */
  public ApiKeys keys() {
    return keys == null ? ApiKeys.none() : ApiKeys.read(keys);
  }

  /** What clients call it by, without a path. */
  public String url(int listening) {
    String name = host.contains(":") ? "[" + host + "]" : host;
    return (tls == null ? "http" : "https") + "://" + name + ":" + listening;
  }
}
