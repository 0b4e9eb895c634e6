package dev.sortie.parallel.comm.algorithm;

import java.lang.foreign.MemorySegment;

/**
 * Gathering in ⌈log₂ p⌉ rounds (Bruck et al. 1997), for any p. Block i of the buffer belongs to the
 * member i after this one; block 0 is its own. In the round with distance d = 1, 2, 4, … each
 * member has d blocks, sends them to the member d before it, and gets the next ones from the member
 * d after it; the last round moves only what is missing.
 */
final class Dissemination {
  private Dissemination() {}

  static void gather(MemorySegment blocks, long n, Turn turn) {
    int p = turn.size();
    for (int have = 1; have < p; have *= 2) {
      int count = Math.min(have, p - have);
      turn.swap(
          turn.ring(-have),
          blocks.asSlice(0, count * n),
          turn.ring(have),
          blocks.asSlice(have * n, count * n));
    }
  }
}
