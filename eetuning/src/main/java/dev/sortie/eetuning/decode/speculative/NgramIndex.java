package dev.sortie.eetuning.decode.speculative;

import java.util.Arrays;

/**
 * Where the n-grams of a growing text stood last: a hash table, open addressing with linear steps.
 * An entry is the end of an n-gram in the text, its tokens are compared there. What was added last
 * is removed first, which leaves the table as it was before.
 */
final class NgramIndex {
  private static final int NONE = -1;

  private final int n;
  private final int shift;

  /** Newest end of the n-gram of each slot. */
  private final int[] newest;

  /** By position: the slot of the n-gram that ends here, and its end before. */
  private final int[] slot;

  private final int[] before;

  /** An index of n-grams in texts of up to {@code capacity} tokens. */
  NgramIndex(int n, int capacity) {
    this.n = n;
    // twice the capacity and more: half of the slots stay free
    int bits = 33 - Integer.numberOfLeadingZeros(Math.max(1, capacity));
    this.shift = 32 - bits;
    this.newest = new int[1 << bits];
    this.slot = new int[capacity];
    this.before = new int[capacity];
    Arrays.fill(newest, NONE);
  }

  /** Adds the n-gram that ends at position {@code end}, the position after the one added before. */
  void add(DraftContext text, int end) {
    int s = end + 1 < n ? NONE : slot(text, end);
    slot[end] = s;
    if (s != NONE) {
      before[end] = newest[s];
      newest[s] = end;
    }
  }

  /** Removes the n-gram added last, which ends at {@code end}. */
  void remove(int end) {
    if (slot[end] != NONE) {
      newest[slot[end]] = before[end];
    }
  }

  /** Where the n-gram that ends at {@code end} was last added, its end; -1 if nowhere. */
  int find(DraftContext text, int end) {
    return end + 1 < n ? NONE : newest[slot(text, end)];
  }

  /**
   * Where the n-gram that ends at {@code end}, which was added, was added before; -1 if nowhere.
   */
  int before(int end) {
    return before[end];
  }

  /** The slot of the n-gram that ends at {@code end}, or a free one where it belongs. */
  private int slot(DraftContext text, int end) {
    int hash = 0;
    for (int i = 0; i < n; i++) {
      hash = (hash + text.token(end - i)) * 0x9E3779B1; // 2^32 over the golden ratio, odd
    }
    int s = hash >>> shift;
    while (newest[s] != NONE && !same(text, newest[s], end)) {
      s = (s + 1) & (newest.length - 1);
    }
    return s;
  }

  private boolean same(DraftContext text, int a, int b) {
    for (int i = 0; i < n; i++) {
      if (text.token(a - i) != text.token(b - i)) {
        return false;
      }
    }
    return true;
  }
}
