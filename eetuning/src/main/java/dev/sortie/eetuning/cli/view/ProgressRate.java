package dev.sortie.eetuning.cli.view;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * Time left, from the speed of the recent steps: the first steps of a JVM are slow, and a mean over
 * all of them would be wrong for long. Steps before the first one that is told, such as those of a
 * run that is resumed, do not count.
 */
final class ProgressRate {
  private static final long SPACING_NANOS = 100_000_000L;
  private static final long WINDOW_NANOS = 30_000_000_000L;
  private static final int LEAST_SAMPLES = 8;

  private record Sample(long step, long nanos) {}

  private final long total;
  private final ArrayDeque<Sample> samples = new ArrayDeque<>();
  private Sample latest;

  ProgressRate(long total) {
    this.total = total;
  }

  /** {@code step} steps are done at time {@code nanos}. */
  synchronized void add(long step, long nanos) {
    latest = new Sample(step, nanos);
    if (!samples.isEmpty() && nanos - samples.getLast().nanos() < SPACING_NANOS) {
      return;
    }
    samples.add(latest);
    while (samples.size() > LEAST_SAMPLES && nanos - samples.getFirst().nanos() > WINDOW_NANOS) {
      samples.removeFirst();
    }
  }

  /** Time until the last step, or empty while the speed is unknown. */
  synchronized Optional<Duration> left() {
    if (samples.isEmpty()) {
      return Optional.empty();
    }
    Sample oldest = samples.getFirst();
    long steps = latest.step() - oldest.step();
    if (steps <= 0) {
      return Optional.empty();
    }
    double nanosPerStep = (latest.nanos() - oldest.nanos()) / (double) steps;
    return Optional.of(
        Duration.ofNanos((long) (nanosPerStep * Math.max(0, total - latest.step()))));
  }
}
