package dev.sortie.nn.text.model;

import it.unimi.dsi.fastutil.longs.LongHeapPriorityQueue;
import java.util.Arrays;

/**
 * Applies merges to the symbols of one piece: again and again the pair of lowest priority, the
 * leftmost of equals, until no pair merges.
 */
final class BpeMerger {
  /** Above this many symbols a heap beats scanning all pairs for each merge. */
  static final int SCAN_LIMIT = 40;

  private static final int NONE = Integer.MAX_VALUE;

  private BpeMerger() {}

  /** Merges {@code ids[0..n)} in place and returns how many ids are left. */
  static int merge(MergeTable merges, int[] ids, int n) {
    return n <= SCAN_LIMIT ? mergeByScan(merges, ids, n) : mergeByHeap(merges, ids, n);
  }

  /** The obvious form, O(n²). */
  static int mergeByScan(MergeTable merges, int[] ids, int n) {
    int[] ranks = new int[Math.max(n, 1)];
    for (int i = 0; i + 1 < n; i++) {
      ranks[i] = rank(merges, ids[i], ids[i + 1]);
    }
    while (n > 1) {
      int best = 0;
      for (int i = 1; i + 1 < n; i++) {
        if (priority(merges, ranks[i]) < priority(merges, ranks[best])) {
          best = i;
        }
      }
      if (ranks[best] == NONE) {
        break;
      }
      ids[best] = merges.result(ranks[best]);
      int moved = n - best - 2;
      System.arraycopy(ids, best + 2, ids, best + 1, moved);
      System.arraycopy(ranks, best + 1, ranks, best, moved);
      n--;
      if (best + 1 < n) {
        ranks[best] = rank(merges, ids[best], ids[best + 1]);
      }
      if (best > 0) {
        ranks[best - 1] = rank(merges, ids[best - 1], ids[best]);
      }
    }
    return n;
  }

  /**
   * O(n log n). The symbols form a linked list; the heap holds (priority, position). An entry whose
   * pair has changed since is known by its priority, which is no longer that of its position.
   */
  static int mergeByHeap(MergeTable merges, int[] ids, int n) {
    int[] next = new int[n];
    int[] previous = new int[n];
    int[] ranks = new int[n];
    long[] first = new long[n];
    int waiting = 0;
    for (int i = 0; i < n; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      ranks[i] = i + 1 < n ? rank(merges, ids[i], ids[i + 1]) : NONE;
      if (ranks[i] != NONE) {
        first[waiting++] = entry(merges, ranks[i], i);
      }
    }
    LongHeapPriorityQueue heap = new LongHeapPriorityQueue(Arrays.copyOf(first, waiting), waiting);
    while (!heap.isEmpty()) {
      long top = heap.dequeueLong();
      int at = (int) top;
      if (priority(merges, ranks[at]) != (int) (top >>> 32)) {
        continue;
      }
      ids[at] = merges.result(ranks[at]);
      int gone = next[at];
      ranks[gone] = NONE;
      next[at] = next[gone];
      if (next[at] < n) {
        previous[next[at]] = at;
      }
      renew(merges, ids, next, ranks, at, heap);
      if (previous[at] >= 0) {
        renew(merges, ids, next, ranks, previous[at], heap);
      }
    }
    int left = 0;
    for (int i = 0; i < n; i = next[i]) {
      ids[left++] = ids[i];
    }
    return left;
  }

  private static void renew(
      MergeTable merges, int[] ids, int[] next, int[] ranks, int at, LongHeapPriorityQueue heap) {
    int right = next[at];
    ranks[at] = right < ranks.length ? rank(merges, ids[at], ids[right]) : NONE;
    if (ranks[at] != NONE) {
      heap.enqueue(entry(merges, ranks[at], at));
    }
  }

  private static long entry(MergeTable merges, int rank, int position) {
    return (long) merges.priority(rank) << 32 | position;
  }

  private static int priority(MergeTable merges, int rank) {
    return rank == NONE ? NONE : merges.priority(rank);
  }

  private static int rank(MergeTable merges, int left, int right) {
    int rank = merges.rank(left, right);
    return rank < 0 ? NONE : rank;
  }
}
