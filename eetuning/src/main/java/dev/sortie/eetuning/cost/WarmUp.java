package dev.sortie.eetuning.cost;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Runs work until it is compiled, before it is measured.
 *
 * <p>A model is often measured in the first seconds of a JVM, while its compiler competes with the
 * kernels for the same cores: on two cores of a Zen 5, passes over one Q4_1 row took 11.6 ms after
 * a warm-up of 4 s that watched their times alone, and 6.5 ms in the end. So the warm-up also waits
 * until hardly anything is compiled any more.
 */
public final class WarmUp {
  private static final long BLOCK = 200_000_000L;

  /** Two means that differ by less are the same on a quiet machine. */
  static final double STEADY = 1.1;

  static final double COMPILING = 0.02;

  /**
   * What a compiler may do while work gets no faster by it: on a quiet Zen 5 two layers and an exit
   * took 26 ms from here on, and three blocks in a row with less came 3 s later.
   */
  private static final double LITTLE = 0.15;

  private static final int STEADY_BLOCKS = 3;

  private final LongSupplier clock;
  private final LongSupplier compiled;
  private final Duration most;
  private final double slowest;
  private final double compiling;

  /**
   * On the system's clock, until times are steady.
   *
   * @param most how long it may take
   */
  public WarmUp(Duration most) {
    this(System::nanoTime, WarmUp::compileMillis, most, STEADY, COMPILING);
  }

  /**
   * @param clock in nanoseconds
   * @param compiled milliseconds that the JVM's compiler has worked
   * @param slowest how much slower than the fastest block before it a block may be
   * @param compiling the share of a block's time in which the compiler may have worked
   */
  WarmUp(
      LongSupplier clock, LongSupplier compiled, Duration most, double slowest, double compiling) {
    this.clock = clock;
    this.compiled = compiled;
    this.most = most;
    this.slowest = slowest;
    this.compiling = compiling;
  }

  /**
   * As above, until nothing gets faster any more: also where other programs make times unsteady,
   * for who measures ratios of parts in turns.
   */
  public static WarmUp amongOthers(Duration most) {
    return new WarmUp(
        System::nanoTime, WarmUp::compileMillis, most, Double.POSITIVE_INFINITY, LITTLE);
  }

  private static long compileMillis() {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    return compiler != null && compiler.isCompilationTimeMonitoringSupported()
        ? compiler.getTotalCompilationTime()
        : 0;
  }

  /**
   * Runs until several blocks in a row were nearly as fast as the fastest before them, with hardly
   * any compilation.
   *
   * @param cycle a piece of the work
   * @return whether it came to that in time
   */
  public boolean run(Runnable cycle) {
    long start = clock.getAsLong();
    double best = Double.MAX_VALUE;
    int steady = 0;
    while (steady < STEADY_BLOCKS && clock.getAsLong() - start < most.toNanos()) {
      long block = clock.getAsLong();
      long compiledBefore = compiled.getAsLong();
      int cycles = 0;
      do {
        cycle.run();
        cycles++;
      } while (clock.getAsLong() - block < BLOCK);
      double nanos = clock.getAsLong() - block;
      double mean = nanos / cycles;
      boolean quiet = 1e6 * (compiled.getAsLong() - compiledBefore) < compiling * nanos;
      steady = quiet && mean < slowest * best && mean > best / STEADY ? steady + 1 : 0;
      best = Math.min(best, mean);
    }
    return steady == STEADY_BLOCKS;
  }
}
