package dev.sortie.parallel.comm.algorithm;

/** A message on its way. */
sealed interface Transfer permits Outgoing, Incoming {
  /** Moves some bytes if it can; whether any moved. */
  boolean progress();

  /** Whether all bytes have moved. */
  boolean isDone();

  /** The other end, as a position in the group. */
  int peer();
}
