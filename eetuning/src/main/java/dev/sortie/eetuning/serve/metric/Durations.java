package dev.sortie.eetuning.serve.metric;

import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;

/** How long things took, as a histogram. Thread-safe. */
final class Durations {
  /** Upper bounds of the buckets in seconds; one more has no bound. */
  static final double[] BOUNDS = {
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300
  };

  private final LongAdder[] buckets = new LongAdder[BOUNDS.length + 1];
  private final DoubleAdder sum = new DoubleAdder();

  Durations() {
    for (int i = 0; i < buckets.length; i++) {
      buckets[i] = new LongAdder();
    }
  }

  void add(double seconds) {
    int bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) {
      bucket++;
    }
    buckets[bucket].increment();
    sum.add(seconds);
  }

  /** How many took no longer than each bound, and how many there are. */
  long[] cumulative() {
    long[] counts = new long[buckets.length];
    long so = 0;
    for (int i = 0; i < buckets.length; i++) {
      so += buckets[i].sum();
      counts[i] = so;
    }
    return counts;
  }

  double sum() {
    return sum.sum();
  }
}
