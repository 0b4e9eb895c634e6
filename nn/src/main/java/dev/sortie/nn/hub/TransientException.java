package dev.sortie.nn.hub;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** A failure that may be over soon: the network, a busy server, a body that ended early. */
final class TransientException extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient Optional<Duration> retryAfter;

  TransientException(String message, Optional<Duration> retryAfter, Throwable cause) {
    super(message, cause);
    this.retryAfter = retryAfter;
  }

  TransientException(String message) {
    this(message, Optional.empty(), null);
  }

  /** The wait that the server asked for. */
  Optional<Duration> retryAfter() {
    return retryAfter;
  }
}
