package dev.sortie.tensor.kernel.simd.attention;

import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Where one kv head's keys or values lie, run after run: where the caller stored them, or as one
 * run in scratch memory if they must be packed. Keys are counted from the first that is wanted.
 *
 * @param address first row of each run
 * @param starts first key of each run, and the number of keys after the last
 * @param stride bytes from one row to the next
 */
record AttentionRuns(long[] address, int[] starts, long stride) {

  /**
   * Rows {@code [from, from + keys)} of kv head {@code kv} of sequence {@code b}, which is 0 where
   * there are several runs; {@code scratch} takes them if they must be packed.
   */
  static AttentionRuns of(
      List<Span> runs, AttentionShape s, int b, int kv, int from, int keys, long scratch) {
    if (runs.size() == 1) {
      AttentionHead h = AttentionHead.of(runs.getFirst(), s, b, kv, from, keys, scratch);
      return new AttentionRuns(new long[] {h.address()}, new int[] {0, keys}, h.stride());
    }
    long[] address = new long[runs.size()];
    int[] starts = new int[runs.size() + 1];
    long stride = 0;
    int passed = 0;
    for (int i = 0; i < runs.size(); i++) {
      Span run = runs.get(i);
      int count = (int) (run.length() / ((long) s.kvHeads() * s.headSize()));
      int first = Math.clamp(from - passed, 0, count);
      int end = Math.clamp(from + keys - passed, first, count);
      long packed = scratch + 4L * starts[i] * AttentionHead.size(s);
      AttentionHead h = AttentionHead.of(run, s, 0, kv, first, end - first, packed);
      address[i] = h.address();
      starts[i + 1] = starts[i] + end - first;
      stride = h.stride();
      passed += count;
    }
    return new AttentionRuns(address, starts, stride);
  }

  int count() {
    return address.length;
  }

  int first(int run) {
    return starts[run];
  }

  int end(int run) {
    return starts[run + 1];
  }

  /** Address of key {@code j}, which is in run {@code run}. */
  long at(int run, int j) {
    return address[run] + (j - starts[run]) * stride;
  }

  /** Address of key {@code j}. */
  long at(int j) {
    int run = address.length - 1;
    while (starts[run] > j) {
      run--;
    }
    return at(run, j);
  }
}
