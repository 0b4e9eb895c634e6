package dev.sortie.benchmarks.measure;

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

    private final Runnable work;
    private final int count;
    private final boolean isLong;

    private Repeated(Runnable work, boolean compiled) {
      this.work = work;
      if (compiled) {
        PeerWarmUp.run(() -> time(1));
      }
      double once = Math.min(time(1), time(1));
      this.count = (int) Math.max(1, Math.ceil(SAMPLE / once));
      this.isLong = once > LONG;
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
