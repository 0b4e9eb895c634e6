package dev.sortie.parallel.comm.transport.mpi;

import java.time.Duration;

/**
 * How long each other rank has shown no sign of life, in the time in which this process ran: where
 * all were stopped, by a scheduler or job control, nobody has been silent. For one thread.
 */
final class PeerSilence {
  private final long longestTurn;
  private final long[] heard;
  private long last;
  private long ran;

  /**
   * Counts from now on.
   *
   * @param longestTurn what the time between two calls of {@link #turn} counts at most
   * @param now nanoseconds
   */
  PeerSilence(int world, Duration longestTurn, long now) {
    this.longestTurn = longestTurn.toNanos();
    this.heard = new long[world];
    this.last = now;
  }

  /** Counts the time since the last turn. */
  void turn(long now) {
    ran += Math.min(now - last, longestTurn);
    last = now;
  }

  /** A rank has shown a sign of life since the last turn. */
  void heard(int peer) {
    heard[peer] = ran;
  }

  Duration of(int peer) {
    return Duration.ofNanos(ran - heard[peer]);
  }
}
