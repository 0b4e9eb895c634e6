package dev.sortie.nn.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.IntFunction;

/** What a piece of work costs this thread. */
public final class Cost {
  /** What hostile inputs of less than a megabyte may cost. */
  private static final double SECONDS = 5;

  /**
   * What inputs may cost that use up the default limits. The most expensive takes 3.6 seconds of a
   * core of its own, and took 6.1 where other processes shared the core's caches and units.
   */
  private static final double FEW_SECONDS = 20;

  private static final long BYTES = 256L << 20;

  private static final double LEAST = 0.003;
  private static final double RATIO = 2.5;
  private static final int ATTEMPTS = 8;
  private static final int MOST = 1 << 22;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Cost() {}

  /** Runs {@code work}, which may take neither long nor allocate much in total. */
  public static void assertSmall(Runnable work) {
    long thread = Thread.currentThread().threadId();
    long bytes = THREADS.getThreadAllocatedBytes(thread);
    double seconds = seconds(work);
    assertThat(seconds).as("seconds").isLessThan(SECONDS);
    assertThat(THREADS.getThreadAllocatedBytes(thread) - bytes).as("bytes").isLessThan(BYTES);
  }

  /** Runs {@code work}, which may allocate more than it keeps. */
  public static void assertFewSeconds(Runnable work) {
    assertThat(seconds(work)).as("seconds").isLessThan(FEW_SECONDS);
  }

  /**
   * Doubles the size of an input twice and holds one of the two doublings to less than 2.5 times
   * the work's time. Time that is linear doubles, but for one step where data leave a cache;
   * quadratic time becomes four times as long at each. So the better one of several attempts is
   * enough.
   *
   * @param prepared makes the input of a size, and gives the work on it
   */
  public static void assertLinear(int from, IntFunction<Runnable> prepared) {
    int size = from;
    Runnable once = prepared.apply(size);
    while (least(once, 2) < LEAST && size < MOST) {
      size *= 2;
      once = prepared.apply(size);
    }
    Runnable twice = prepared.apply(2 * size);
    Runnable fourTimes = prepared.apply(4 * size);
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < ATTEMPTS && best >= RATIO; i++) {
      double first = Math.max(least(once, 3), LEAST / 4);
      double second = least(twice, 3);
      best = Math.min(best, second / first);
      if (best >= RATIO) {
        best = Math.min(best, least(fourTimes, 3) / second);
      }
    }
    assertThat(best).as("time of a doubling, from size %d to %d", size, 4 * size).isLessThan(RATIO);
  }

  private static double least(Runnable work, int times) {
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < times; i++) {
      least = Math.min(least, seconds(work));
    }
    return least;
  }

  private static double seconds(Runnable work) {
    long before = THREADS.getCurrentThreadCpuTime();
    work.run();
    return (THREADS.getCurrentThreadCpuTime() - before) / 1e9;
  }
}
