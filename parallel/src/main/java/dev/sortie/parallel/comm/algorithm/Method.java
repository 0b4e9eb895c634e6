package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;

/**
 * One algorithm for one operation, for two members and more. In the costs p is the number of
 * members and n the bytes of what {@link Collective#count} counts.
 */
interface Method {
  Operation operation();

  Algorithm algorithm();

  /** Whether sums ascend by position, or nothing is summed. */
  default boolean ascends() {
    return true;
  }

  /** Whether members must see common memory. */
  default boolean needsSharedMemory() {
    return false;
  }

  /** Estimated time of a call. */
  double seconds(long n, int p, LinkSpeed speed);

  void run(Collective call, Turn turn);

  /** Rounds of doubling until {@code p} are reached: ⌈log₂ p⌉. */
  static int rounds(int p) {
    return 32 - Integer.numberOfLeadingZeros(p - 1);
  }
}
