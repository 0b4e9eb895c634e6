package dev.sortie.benchmarks.ranks;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/** Data with exact sums and its hash, the same as in {@code mpi_peer.c}. */
final class WholeNumbers {
  private static final int STEP = 0x9E3779B1; // 2654435761
  private static final int RANK = 40503;
  private static final int SHIFT = 12; // leaves numbers below 2^20

  private WholeNumbers() {}

  static float value(long i, int rank) {
    return ((int) (i + 1) * STEP + rank * RANK) >>> SHIFT;
  }

  static void fill(MemorySegment x, int rank) {
    for (long i = 0; i < x.byteSize() / 4; i++) {
      x.setAtIndex(JAVA_FLOAT, i, value(i, rank));
    }
  }

  static String hash(MemorySegment x) {
    long h = 0;
    for (long i = 0; i < x.byteSize() / 4; i++) {
      h = h * 31 + Integer.toUnsignedLong(x.getAtIndex(JAVA_INT, i));
    }
    return Long.toHexString(h);
  }
}
