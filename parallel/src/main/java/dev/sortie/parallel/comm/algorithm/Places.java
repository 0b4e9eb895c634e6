package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.transport.SharedMemory;
import java.util.Arrays;

/** Where the buffers of all members lie. */
final class Places {
  private Places() {}

  /** Whether all see all of them. */
  static boolean allSeen(long[] places) {
    return Arrays.stream(places).allMatch(SharedMemory::isSeen);
  }

  /** Whether all can read all of them. */
  static boolean allReadable(long[] places) {
    return Arrays.stream(places).allMatch(SharedMemory::isReadable);
  }
}
