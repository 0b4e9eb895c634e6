package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;

/**
 * One way to carry out one operation, for two members and more.
 *
 * @param operation what it carries out
 * @param algorithm how
 * @param needs what it takes for granted
 * @param steps what each member does
 * @param cost estimated time
 */
record CollectiveAlgorithm(
    Operation operation, Algorithm algorithm, Needs needs, Steps steps, Cost cost) {

  /** What an algorithm takes for granted. */
  enum Needs {
    /** Nothing: sums ascend by position, or nothing is summed. */
    NOTHING,
    /** That sums may be added in another order. */
    ANY_ORDER,
    /** That members see common memory; sums ascend. */
    COMMON_MEMORY
  }

  /** What a member does in a call. */
  interface Steps {
    void run(Collective call, CollectiveContext context);
  }

  /** The time that a call takes by the model of the links. */
  interface Cost {
    /**
     * @param n bytes of what {@link Collective#count} counts
     * @param p number of members
     */
    double seconds(long n, int p, LinkSpeed speed);
  }

  /** Rounds of doubling until {@code p} are reached: ⌈log₂ p⌉. */
  static int rounds(int p) {
    return 32 - Integer.numberOfLeadingZeros(p - 1);
  }
}
