package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.kernel.simd.vector.ReadAhead;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Whether tiles are {@link ReadAhead read ahead} before kernels multiply with them, found out by
 * trial for each type, size of tile and number of rows. A kernel does much arithmetic for each line
 * of memory, so the processor sees few of the next ones coming, and at the scales of a tile it
 * starts anew: reading in order first helps. But then memory waits while the kernel computes. Which
 * weighs more depends on the machine, and on what else runs there. One row, ps per byte without and
 * with it: 1B in Q4_K_M on a Xeon that reads 30 GB/s 141 and 205; SmolLM2 in Q4_1 there 129 and
 * 150, on a Zen 5 that reads 77 GB/s 3.4 and 2.7 ms a token.
 */
final class ReadAheadTrials {
  /**
   * Rows of x from which on reading is a small part of the work: nothing is read ahead for more.
   */
  private static final int MOST_ROWS = 16;

  private static final int ROWS = log(MOST_ROWS - 1) + 2;
  private static final int SIZES = Integer.SIZE;

  private final AtomicReferenceArray<Trial> trials =
      new AtomicReferenceArray<>(TileType.values().length * ROWS * SIZES);

  private final long first;

  /**
   * No trials yet.
   *
   * @param first bytes of tiles of a kind before the first one
   */
  ReadAheadTrials(long first) {
    this.first = first;
  }

  /** That of a weight with {@code m} rows of x, or null if nothing is read ahead for so many. */
  Trial of(TiledWeight w, int m) {
    if (m > MOST_ROWS) {
      return null;
    }
    int size = log((int) Math.min(w.tileBytes(), Integer.MAX_VALUE));
    int rows = log(m - 1) + 1; // 1, 2, up to 4, 8, 16
    int at = (w.type().ordinal() * ROWS + rows) * SIZES + size;
    Trial trial = trials.get(at);
    if (trial == null) {
      trials.compareAndSet(at, null, new Trial(first));
      trial = trials.get(at);
    }
    return trial;
  }

  /** The logarithm to base 2, rounded down; -1 of 0. */
  private static int log(int value) {
    return Integer.SIZE - 1 - Integer.numberOfLeadingZeros(value);
  }

  /**
   * The trials of one kind: rounds of some calls that go both ways, each with half of their tiles,
   * and the way that was faster in most calls of the last round. One call in hundreds takes part.
   */
  static final class Trial {
    /** Calls in a round. */
    static final int CALLS = 16;

    /** Bytes from one round to the next at most. Until then the distance doubles. */
    static final long MOST_BYTES = 4L << 30;

    private final AtomicLong bytes = new AtomicLong();
    private volatile long next;
    private volatile int left;
    private volatile boolean ahead;
    private int won;

    Trial(long first) {
      this.next = first;
    }

    /** Whether a call that reads so many bytes is to go both ways. */
    boolean due(long read) {
      long all = bytes.addAndGet(read);
      if (all >= next) {
        begin(all);
      }
      return left > 0;
    }

    private synchronized void begin(long all) {
      if (all >= next) {
        next = all + Math.min(all, MOST_BYTES);
        left = CALLS;
        won = 0;
      }
    }

    /** Which way is faster, as far as is known. */
    boolean ahead() {
      return ahead;
    }

    /** Which way the next call that goes both ways begins: in turns. */
    boolean beginsAhead() {
      return left % 2 != 0;
    }

    /** Ends a call that went both ways. */
    synchronized void end(boolean aheadWasFaster) {
      if (left == 0) {
        return; // another thread's call ended the round
      }
      won += aheadWasFaster ? 1 : 0;
      left--;
      if (left == 0) {
        ahead = won > CALLS / 2;
      }
    }
  }
}
