package dev.sortie.benchmarks.compare;

import dev.sortie.tensor.memory.Span;
import java.util.List;

/** Checks that two sides computed the same. */
final class Agreement {
  /**
   * Two orders of summing {@code k} products differ by some {@code sqrt(k)} roundings of a partial
   * sum; 16 times that is far from chance and far below any mistake in an index.
   */
  private static final double ROUNDINGS = 16 * 0x1p-24;

  private Agreement() {}

  /** Fails unless both are equal up to the roundings of sums of {@code k} products of [-1, 1). */
  static void check(String name, Span ours, Span theirs, int k) {
    double allowed = ROUNDINGS * k;
    for (long i = 0; i < ours.length(); i++) {
      double difference = Math.abs(ours.get(i) - theirs.get(i));
      if (!(difference <= allowed)) {
        throw new DisagreementException(
            "%s: element %d is %s here and %s at the peer, more than %s apart"
                .formatted(name, i, ours.get(i), theirs.get(i), allowed));
      }
    }
  }

  /** Fails unless the numbers are equal up to {@code allowed}, relative to the peer's. */
  static void check(String name, double ours, double peer, double allowed) {
    if (!(Math.abs(ours - peer) <= allowed * Math.abs(peer))) {
      throw new DisagreementException(
          "%s is %s here and %s at the peer, more than %s of it apart"
              .formatted(name, ours, peer, allowed));
    }
  }

  /**
   * Fails unless the first ids are equal. Later ones may part where two logits are nearly equal:
   * peers round activations to 8 bits.
   */
  static void firstId(String name, List<Integer> ours, List<Integer> theirs) {
    if (leading(ours, theirs) < 1) {
      throw new DisagreementException(
          "%s: the first token is %s here and %s at the peer"
              .formatted(name, ours.getFirst(), theirs));
    }
  }

  /** How many ids are equal before the first that differs. */
  static int leading(List<Integer> ours, List<Integer> theirs) {
    int n = 0;
    while (n < Math.min(ours.size(), theirs.size()) && ours.get(n).equals(theirs.get(n))) {
      n++;
    }
    return n;
  }
}
