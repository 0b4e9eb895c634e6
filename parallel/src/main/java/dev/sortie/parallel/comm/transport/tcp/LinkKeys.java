package dev.sortie.parallel.comm.transport.tcp;

import java.util.Optional;

/**
 * What both ends of a {@link Link} have.
 *
 * @param secret that each proves to know, 16 bytes and more
 * @param tls for all that is sent, if both ends have it
 */
public record LinkKeys(byte[] secret, Optional<Tls> tls) {
  private static final int SHORTEST = 16;

  /** No job has so many ranks, so no proof of a job opens a link, and none of a link a job. */
  private static final int NO_RANKS = 0;

  public LinkKeys {
    secret = secret.clone();
    if (secret.length < SHORTEST) {
      throw new IllegalArgumentException(
          "the secret of a link needs at least " + SHORTEST + " bytes, got " + secret.length);
    }
  }

  Handshake handshake() {
    return new Handshake(secret, NO_RANKS, 0);
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return tls.isPresent() ? "a secret, with TLS" : "a secret, without TLS";
  }
}
