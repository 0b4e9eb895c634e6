package dev.sortie.eetuning.train.loop;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/** What the steps of a run took. */
final class StepTimes {
  private final long tokens;
  private final List<Double> seconds = new ArrayList<>();
  private final LongSupplier clock;
  private long since;

  /**
   * @param tokens of a step
   */
  StepTimes(long tokens) {
    this(tokens, System::nanoTime);
  }

  /**
   * As above; the first step begins now.
   *
   * @param clock in nanoseconds
   */
  StepTimes(long tokens, LongSupplier clock) {
    this.tokens = tokens;
    this.clock = clock;
    start();
  }

  /** Something else ends, and the next step begins. */
  void start() {
    since = clock.getAsLong();
  }

  /**
   * A step ends, and the next one begins: seconds that it took, with what followed the last one.
   */
  double lap() {
    long now = clock.getAsLong();
    double took = (now - since) * 1e-9;
    since = now;
    add(took);
    return took;
  }

  void add(double took) {
    seconds.add(took);
  }

  /** Tokens per second over all steps; 0 where there were none. */
  double mean() {
    double all = seconds.stream().mapToDouble(Double::doubleValue).sum();
    return seconds.isEmpty() ? 0 : seconds.size() * tokens / all;
  }

  /**
   * Tokens a second of the median step of the later half, in which the first seconds of the JVM and
   * a step that something else held up do not count; 0 where there were none.
   */
  double steady() {
    int count = seconds.size();
    List<Double> later = seconds.subList(count / 2, count).stream().sorted().toList();
    return count == 0 ? 0 : tokens / later.get(later.size() / 2);
  }
}
