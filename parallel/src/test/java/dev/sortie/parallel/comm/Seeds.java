package dev.sortie.parallel.comm;

import java.util.stream.IntStream;

/** How often faults are tried: {@code -Dsortie.faults=20}, from {@code -Dsortie.faults.from=0}. */
public final class Seeds {
  private Seeds() {}

  /**
   * Seeds in order.
   *
   * @param few how many a build tries
   */
  public static IntStream faults(int few) {
    int first = Integer.getInteger("sortie.faults.from", 0);
    return IntStream.range(first, first + Integer.getInteger("sortie.faults", few));
  }
}
