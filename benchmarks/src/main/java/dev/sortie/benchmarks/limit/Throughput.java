package dev.sortie.benchmarks.limit;

import java.util.concurrent.atomic.DoubleAdder;
import java.util.function.IntFunction;

/**
 * How often some threads do their work a second, all at once and each at its own pace. Plain
 * threads: the worker pool's caller does the work of a thread that is late, and where the scheduler
 * had put both on one core, two cores looked like one.
 */
final class Throughput {
  private static final long WINDOW_NANOS = 200_000_000;
  private static final int LEAST_WINDOWS = 5;
  private static final int QUIET_WINDOWS = 3;
  private static final double BETTER = 1.02;

  private Throughput() {}

  /**
   * The best window, once no other was better for a while: a limit is what nothing disturbed, and
   * the first windows are interpreted.
   *
   * @param work what thread {@code i} does, short against 0.2 s
   * @return runs a second, all threads together
   */
  static double best(int threads, IntFunction<Runnable> work) {
    double best = 0;
    int quiet = 0;
    for (int window = 0; window < LEAST_WINDOWS || quiet < QUIET_WINDOWS; window++) {
      double rate = window(threads, work);
      quiet = rate > BETTER * best ? 0 : quiet + 1;
      best = Math.max(best, rate);
    }
    return best;
  }

  private static double window(int threads, IntFunction<Runnable> work) {
    DoubleAdder rate = new DoubleAdder();
    Thread[] all = new Thread[threads];
    for (int i = 0; i < threads; i++) {
      Runnable mine = work.apply(i);
      all[i] = Thread.ofPlatform().start(() -> rate.add(rate(mine)));
    }
    try {
      for (Thread t : all) {
        t.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while measuring", e);
    }
    return rate.sum();
  }

  private static double rate(Runnable work) {
    long start = System.nanoTime();
    long end = start;
    int runs = 0;
    while (end - start < WINDOW_NANOS) {
      work.run();
      runs++;
      end = System.nanoTime();
    }
    return runs / ((end - start) * 1e-9);
  }
}
