package dev.sortie.parallel.comm;

import java.util.Locale;

/** How a collective is carried out. The order is part of the wire format. */
public enum Algorithm {
  /** One message from rank to rank. */
  POINT_TO_POINT,
  /** Ranks read each other's memory. Sums ascend. */
  SHARED_MEMORY,
  /** Everyone sends each slice to its owner, who adds them in order. Sums ascend. */
  EXCHANGE,
  /** Everyone gets everything, then adds in order: small data. Sums ascend. */
  GATHER,
  /** Slices travel round the ring; partial sums in an order of their own for each slice. */
  RING,
  /** Pairs at distance 1, 2, 4, … swap all they have. */
  RECURSIVE_DOUBLING,
  /** Pairs swap halves, quarters, …, and back. */
  HALVING_DOUBLING,
  /** A binomial tree. */
  TREE,
  /** The root deals out slices, which are then gathered by all. */
  SCATTER_GATHER,
  /** Dissemination: what one has goes to ranks 1, 2, 4, … away. */
  DISSEMINATION;

  /** As messages spell it, such as {@code recursive-doubling}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
