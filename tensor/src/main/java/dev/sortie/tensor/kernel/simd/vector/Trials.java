package dev.sortie.tensor.kernel.simd.vector;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Which of two ways to do the same work is faster, for several kinds of work. It depends on the
 * machine and on what else runs there, so it is tried while the work is done. The results of both
 * ways have the same bits.
 */
public final class Trials {
  private final AtomicReferenceArray<Trial> trials;
  private final long first;

  /**
   * No trials yet.
   *
   * @param kinds of work
   * @param first bytes read for a kind before its first trial
   */
  public Trials(int kinds, long first) {
    this.trials = new AtomicReferenceArray<>(kinds);
    this.first = first;
  }

  /** That of a kind. */
  public Trial of(int kind) {
    Trial trial = trials.get(kind);
    if (trial == null) {
      trials.compareAndSet(kind, null, new Trial(first));
      trial = trials.get(kind);
    }
    return trial;
  }

  /** Binary digits of a number that is not negative, fewer than {@link Long#SIZE}; none of 0. */
  public static int digits(long value) {
    return Long.SIZE - Long.numberOfLeadingZeros(value);
  }

  /** Work that can be done in two ways. */
  @FunctionalInterface
  public interface Way {
    /** Does items {@code [begin, end)} in the first way, or in the second. */
    void run(int begin, int end, boolean second);
  }

  /**
   * The trials of one kind: rounds of some calls that go both ways, each with half of its items,
   * and the way that was faster in most calls of the last round. One call in hundreds takes part.
   */
  public static final class Trial {
    /** Calls in a round. */
    static final int CALLS = 16;

    /** Bytes from one round to the next at most. Until then the distance doubles. */
    static final long MOST_BYTES = 4L << 30;

    private final AtomicLong bytes = new AtomicLong();
    private volatile long next;
    private volatile int left;
    private volatile boolean second;
    private int won;

    Trial(long first) {
      this.next = first;
    }

    /**
     * Does items {@code [begin, end)} in the way that is faster as far as is known, or, as a trial,
     * each half in one of both.
     *
     * @param each bytes that an item reads
     * @param least items that can be halved
     */
    public void run(Way way, int begin, int end, long each, int least) {
      if (!due((end - begin) * each) || end - begin < least) {
        way.run(begin, end, second);
        return;
      }
      boolean secondFirst = left % 2 != 0; // in turns
      int middle = begin + (end - begin) / 2;
      long start = System.nanoTime();
      way.run(begin, middle, secondFirst);
      long turn = System.nanoTime();
      way.run(middle, end, !secondFirst);
      double before = (double) (turn - start) / (middle - begin);
      double after = (double) (System.nanoTime() - turn) / (end - middle);
      end(secondFirst == before < after);
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
      if (all >= next && left == 0) {
        next = all + Math.min(all, MOST_BYTES);
        left = CALLS;
        won = 0;
      }
    }

    /** Whether the second way is faster, as far as is known. */
    boolean second() {
      return second;
    }

    /** Ends a call that went both ways. */
    synchronized void end(boolean secondWasFaster) {
      if (left == 0) {
        return; // another thread's call ended the round
      }
      won += secondWasFaster ? 1 : 0;
      left--;
      if (left == 0) {
        second = won > CALLS / 2;
      }
    }
  }
}
