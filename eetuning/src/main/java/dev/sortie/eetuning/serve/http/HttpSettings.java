package dev.sortie.eetuning.serve.http;

import java.util.List;
import java.util.Optional;

/**
 * Where to listen, and how.
 *
 * @param host a name or address of this machine
 * @param port 0 takes a free one
 * @param allowedHosts names by which clients may call it, in addition to its address and localhost
 * @param tls the server's key and certificate; plain HTTP without
 */
public record HttpSettings(
    String host,
    int port,
    List<String> allowedHosts,
    Optional<TlsIdentity> tls,
    HttpLimits limits) {
  public HttpSettings {
    allowedHosts = List.copyOf(allowedHosts);
  }
}
