package dev.sortie.tensor.kernel.simd.vector;

import dev.sortie.tensor.concurrent.WorkerPool;

/** How work is cut for the threads. Cuts never decide in which order anything is summed. */
public final class Split {
  /** Elements of a block: 16 KiB, which stays in the L1 cache; also the unit of long sums. */
  public static final int BLOCK = 4096;

  /** Work (in elements touched) under which a second thread costs more than it brings. */
  private static final long SMALL = 10_240;

  private Split() {}

  /** A part of a loop. */
  @FunctionalInterface
  public interface Range {
    void run(long from, long to);
  }

  /** Items a thread takes at least, when each touches {@code work} elements. */
  public static int grain(long work) {
    return grain(work, SMALL);
  }

  /** Items that a thread takes at least to have {@code least} work, when each has {@code work}. */
  public static int grain(long work, long least) {
    return (int) Math.max(1, least / Math.max(1, work));
  }

  /** Elements {@code [0, n)}, cut at multiples of {@link #BLOCK}. */
  public static void elements(WorkerPool pool, long n, Range range) {
    pool.range(
        blocks(n),
        grain(BLOCK),
        (from, to) -> range.run((long) from * BLOCK, Math.min(n, (long) to * BLOCK)));
  }

  /** Columns {@code [0, cols)}, cut at multiples of 64, when each holds {@code rows} elements. */
  public static void columns(WorkerPool pool, int cols, long rows, Range range) {
    int unit = 64;
    pool.range(
        (cols + unit - 1) / unit,
        grain(rows * unit),
        (from, to) -> range.run((long) from * unit, Math.min(cols, (long) to * unit)));
  }

  /** Work of one of several tasks, in elements touched. */
  @FunctionalInterface
  public interface Work {
    long of(int task);
  }

  /** One of several tasks. */
  @FunctionalInterface
  public interface Task {
    void run(int task);
  }

  /**
   * Tasks {@code [0, count)} of unequal work, the heaviest first: each goes to the thread that has
   * the least so far, a choice that all threads make alike.
   */
  public static void uneven(WorkerPool pool, int count, Work work, Task task) {
    long all = 0;
    for (int t = 0; t < count; t++) {
      all += work.of(t);
    }
    if (all < 2 * SMALL) {
      for (int t = 0; t < count; t++) {
        task.run(t);
      }
      return;
    }
    pool.run(
        (thread, threads) -> {
          long[] load = new long[threads];
          for (int t = 0; t < count; t++) {
            int least = 0;
            for (int i = 1; i < threads; i++) {
              least = load[i] < load[least] ? i : least;
            }
            load[least] += work.of(t);
            if (least == thread) {
              task.run(t);
            }
          }
        });
  }

  /** Blocks of {@link #BLOCK} elements that {@code n} elements fill. */
  public static int blocks(long n) {
    return Math.toIntExact((n + BLOCK - 1) / BLOCK);
  }
}
