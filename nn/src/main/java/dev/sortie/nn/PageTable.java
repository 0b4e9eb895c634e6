package dev.sortie.nn;

import java.util.Arrays;

/**
 * Which pages hold a sequence's tokens: position {@code p} lies in page {@code pages[p / size]} of
 * every store that the sequence uses. Neighbouring pages are told as one run, so that kernels see
 * few long runs where the pool is not fragmented. One table serves all layers.
 */
public final class PageTable {
  private final int size;
  private final int[] pages;

  /** First position of each run, and the capacity after the last. */
  private final int[] starts;

  /** Row of a store where each run begins. */
  private final long[] rows;

  /**
   * A table.
   *
   * @param size tokens a page
   * @param pages numbers of pages, first tokens first
   */
  public PageTable(int size, int[] pages) {
    this.size = size;
    this.pages = pages.clone();
    int[] begins = new int[pages.length + 1];
    long[] at = new long[pages.length];
    int count = 0;
    for (int i = 0; i < pages.length; i++) {
      if (i == 0 || pages[i] != pages[i - 1] + 1) {
        begins[count] = i * size;
        at[count++] = (long) pages[i] * size;
      }
    }
    begins[count] = pages.length * size;
    this.starts = Arrays.copyOf(begins, count + 1);
    this.rows = Arrays.copyOf(at, count);
  }

  /** Tokens a page. */
  public int size() {
    return size;
  }

  /** Tokens that fit. */
  public int capacity() {
    return pages.length * size;
  }

  /** How many runs hold the first {@code count} tokens. */
  int runs(int count) {
    int runs = 0;
    while (runs < rows.length && starts[runs] < count) {
      runs++;
    }
    return runs;
  }

  int start(int run) {
    return starts[run];
  }

  int end(int run) {
    return starts[run + 1];
  }

  /** Row of a store that holds position {@code p} of run {@code run}. */
  long row(int run, int p) {
    return rows[run] + p - starts[run];
  }
}
