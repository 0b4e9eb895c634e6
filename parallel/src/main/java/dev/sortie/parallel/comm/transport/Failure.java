package dev.sortie.parallel.comm.transport;

import dev.sortie.parallel.comm.CommException;
import java.util.Objects;

/**
 * Why a job ended.
 *
 * @param kind what went wrong
 * @param reason one line that names the rank and the call
 */
public record Failure(CommException.Kind kind, String reason) {
  public Failure {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(reason, "reason");
  }

  /** The exception for a caller. */
  public CommException exception() {
    return new CommException(kind, reason);
  }
}
