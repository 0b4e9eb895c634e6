package dev.sortie.parallel.comm.algorithm;

import java.lang.foreign.MemorySegment;

/**
 * Slices that travel round the ring of members, each member talking to its two neighbours alone.
 */
final class Ring {
  private Ring() {}

  /**
   * Reduces: in step s = 0 … p−2 member i sends the slice i−s−1, which holds the sum of what it has
   * passed, to its successor, and adds the slice i−s−2 that comes from its predecessor to its own.
   * After p−1 steps member i has the whole sum of slice i. Slice i is added in the order i+1, i+2,
   * …, i: another one for each slice.
   */
  static void reduce(Slices slices, Turn turn) {
    int p = turn.size();
    MemorySegment scratch = turn.scratch(slices.get(0).byteSize());
    for (int s = 0; s < p - 1; s++) {
      MemorySegment into = slices.get(turn.ring(-s - 2));
      MemorySegment coming = scratch.asSlice(0, into.byteSize());
      turn.swap(turn.ring(1), slices.get(turn.ring(-s - 1)), turn.ring(-1), coming);
      turn.addBefore(coming, into);
    }
  }

  /**
   * Gathers: in step s member i sends slice i−s, its own at first and then what came last, and
   * receives slice i−s−1.
   */
  static void gather(Slices slices, Turn turn) {
    for (int s = 0; s < turn.size() - 1; s++) {
      turn.swap(
          turn.ring(1), slices.get(turn.ring(-s)), turn.ring(-1), slices.get(turn.ring(-s - 1)));
    }
  }
}
