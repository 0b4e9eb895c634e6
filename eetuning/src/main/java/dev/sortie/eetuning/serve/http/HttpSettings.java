package dev.sortie.eetuning.serve.http;

import java.util.Optional;

/**
 * Where to listen, and how.
 *
 * @param host a name or address of this machine
 * @param port 0 takes a free one
 * @param tls the server's key and certificate; plain HTTP without
 */
public record HttpSettings(String host, int port, Optional<TlsIdentity> tls, HttpLimits limits) {}
