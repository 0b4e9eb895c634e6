package dev.sortie.nn.hub;

import java.time.Duration;

/**
 * How patient a pull is.
 *
 * @param attempts tries of a request, or of a download that gets no further
 * @param firstWait before the second try; doubled before each further one
 * @param longestWait bound of a wait, also of one that the server asks for
 * @param silence how long a server may send nothing
 * @param least bytes that it must send in that time; a try that brings fewer is one that gets no
 *     further
 */
public record RetryPolicy(
    int attempts, Duration firstWait, Duration longestWait, Duration silence, int least) {

  /**
   * Six tries with 31 s of waits between them; at most two minutes where a server asks for it; 1
   * KiB/s.
   */
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(
          6, Duration.ofSeconds(1), Duration.ofMinutes(2), Duration.ofSeconds(30), 30 << 10);

  /** At least one try, waits that are not negative. */
  public RetryPolicy {
    if (attempts < 1
        || firstWait.isNegative()
        || longestWait.compareTo(firstWait) < 0
        || !silence.isPositive()
        || least < 1) {
      throw new IllegalArgumentException(
          "attempts %d, waits %s to %s, silence %s, at least %d bytes"
              .formatted(attempts, firstWait, longestWait, silence, least));
    }
  }

  /** The wait after {@code failures} failures in a row, 1 or more. */
  Duration wait(int failures) {
    Duration wait = firstWait.multipliedBy(1L << Math.min(failures - 1, 20));
    return wait.compareTo(longestWait) < 0 ? wait : longestWait;
  }
}
