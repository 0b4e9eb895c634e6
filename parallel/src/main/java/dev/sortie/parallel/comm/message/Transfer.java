package dev.sortie.parallel.comm.message;

/** A message on its way. */
public sealed interface Transfer permits Outgoing, Incoming {
  /** Moves some bytes if it can; whether any moved. */
  boolean progress();

  /** Whether all bytes have moved. */
  boolean isDone();

  /** The other end, as a position in the group. */
  int peer();
}
