package dev.sortie.benchmarks.compare;

/** One side of a comparison: does its work once and says how long that took. */
@FunctionalInterface
public interface Side {
  /** Seconds that one sample of the work took. */
  double seconds();

  /** Short native work. A sample repeats it to {@link Repeated#SAMPLE} seconds. */
  static Side of(Runnable work) {
    return new Repeated(work, false);
  }

  /** The same for Java work, which first runs until it is compiled. */
  static Side compiled(Runnable work) {
    return new Repeated(work, true);
  }

  /** Short work, repeated so that the clock is read rarely. */
  final class Repeated implements Side {
    private static final double SAMPLE = 0.02;
    private static final double LONG = 0.05;

    /**
     * Vector code runs a thousand times slower until the optimising compiler has done it, which
     * takes two to three seconds for a matrix product: a fixed 0.25 s or 1.5 s ended before.
     */
    private static final double BLOCK = 0.2;

    private static final int STEADY_BLOCKS = 4;
    private static final int MOST_BLOCKS = 60;
    private static final double STEADY = 1.1;

    private final Runnable work;
    private final int count;
    private final boolean isLong;

    private Repeated(Runnable work, boolean compiled) {
      this.work = work;
      if (compiled) {
        warmUp();
      }
      double once = Math.min(time(1), time(1));
      this.count = (int) Math.max(1, Math.ceil(SAMPLE / once));
      this.isLong = once > LONG;
    }

    /** Runs until several blocks in a row were nearly as fast as the fastest before them. */
    private void warmUp() {
      double best = Double.POSITIVE_INFINITY;
      int steady = 0;
      for (int block = 0; block < MOST_BLOCKS && steady < STEADY_BLOCKS; block++) {
        double total = 0;
        int calls = 0;
        while (total < BLOCK) {
          total += time(1);
          calls++;
        }
        double mean = total / calls;
        steady = mean < STEADY * best && mean > best / STEADY ? steady + 1 : 0;
        best = Math.min(best, mean);
      }
    }

    @Override
    public double seconds() {
      if (!isLong) {
        work.run(); // wakes the threads and fills the caches
      }
      return time(count) / count;
    }

    private double time(int n) {
      long start = System.nanoTime();
      for (int i = 0; i < n; i++) {
        work.run();
      }
      return (System.nanoTime() - start) * 1e-9;
    }
  }
}
