package dev.sortie.benchmarks.compare;

import dev.sortie.tensor.memory.Span;
import java.util.List;

/** Checks that two sides computed the same. */
final class PeerAgreement {
  /**
   * Two orders of summing {@code k} products differ by some {@code sqrt(k)} roundings of a partial
   * sum; 16 times that is far from coincidence and far below any mistake in an index.
   */
  private static final double ROUNDINGS = 16 * 0x1p-24;

  private PeerAgreement() {}

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
   * Rank of the peer's first id among our logits, 0 for the first; fails if it is not among the
   * {@code most} first.
   *
   * @param most 1 where both compute in F32. Peers round activations to 8 bits before they meet
   *     quantised weights; among the near ties of a random model that moves an id by a few ranks of
   *     tens of thousands
   */
  static int rank(String name, float[] logits, int peer, int most) {
    int rank = 0;
    for (float logit : logits) {
      rank += logit > logits[peer] ? 1 : 0;
    }
    if (rank >= most) {
      throw new DisagreementException(
          "%s: the peer's first token, %d, has rank %d here, it must be below %d"
              .formatted(name, peer, rank, most));
    }
    return rank;
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
