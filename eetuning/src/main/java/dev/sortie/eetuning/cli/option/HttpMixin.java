package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.eetuning.serve.http.TlsIdentity;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.TextFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Where a server listens, to whom, and what one client may cost. */
public final class HttpMixin {
  private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z0-9._-]+");

  @Option(
      names = "--host",
      paramLabel = "H",
      defaultValue = "127.0.0.1",
      description =
          "Address to listen on. Default: ${DEFAULT-VALUE}, reachable from this "
              + "machine only. Use 0.0.0.0 for all interfaces, preferably together with "
              + "--api-keys.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8080",
      description = "Port to listen on; 0 chooses a free port. Default: ${DEFAULT-VALUE}.")
  private int port;

  @Option(
      names = "--allowed-host",
      paramLabel = "NAME",
      description =
          "Host name by which browsers and clients may call the server, such as that "
              + "of a reverse proxy. Repeatable. Default on a loopback address: localhost "
              + "and IP addresses; other names in Host or Origin are rejected with status "
              + "403. Default on other addresses: any name.")
  private List<String> allowedHosts = List.of();

  @Option(
      names = "--api-keys",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "File with accepted API keys, one per line. Clients send Authorization: "
              + "Bearer KEY or X-Api-Key: KEY. Default: no key is required."
              + ReadOnce.HELP)
  private Path keys;

  @Option(
      names = "--tls",
      paramLabel = "FILE",
      description =
          "PKCS12 file with the server's private key and certificate. Requires "
              + "--tls-password-file.")
  private Path tls;

  @Option(
      names = "--tls-password-file",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description = "File whose first line is the password of the --tls file." + ReadOnce.HELP)
  private Path password;

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      defaultValue = "8388608",
      description = "Maximum size of a request body, in bytes. Default: ${DEFAULT-VALUE}.")
  private int maxBody;

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      defaultValue = "1024",
      description =
          "Maximum number of open connections; further ones are closed. Default: "
              + "${DEFAULT-VALUE}.")
  private int maxConnections;

  /** For picocli. */
  public HttpMixin() {}

  /** Checked settings. */
  public HttpSettings settings() {
    Ports.requireListening(port);
    for (String name : allowedHosts) {
      if (!HOST_NAME.matcher(name).matches()) {
        throw new UsageException(
            "--allowed-host %s is not a host name; give it without scheme, port and path, such as llm.example.com"
                .formatted(name));
      }
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
    return new HttpSettings(host, port, allowedHosts, identity(), limits);
  }

  private Optional<TlsIdentity> identity() {
    if (tls == null && password == null) {
      return Optional.empty();
    }
    if (tls == null || password == null) {
      throw new UsageException("--tls and --tls-password-file go together; give both");
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
