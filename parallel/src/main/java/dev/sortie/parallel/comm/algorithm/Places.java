package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.transport.SharedMemory;

/** Where the buffers of all members lie. */
final class Places {
  private Places() {}

  static boolean allShared(long[] places) {
    for (long place : places) {
      if (place == SharedMemory.PRIVATE) {
        return false;
      }
    }
    return true;
  }
}
