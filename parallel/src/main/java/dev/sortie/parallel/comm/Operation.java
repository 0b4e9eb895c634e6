package dev.sortie.parallel.comm;

import java.util.Locale;

/** The kinds of calls. The order is part of the wire format. */
public enum Operation {
  MESSAGE,
  BROADCAST,
  REDUCE,
  ALL_REDUCE,
  REDUCE_SCATTER,
  ALL_GATHER,
  ALL_TO_ALL,
  BARRIER;

  /** As messages spell it, such as {@code all-reduce}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
