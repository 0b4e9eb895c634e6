package dev.sortie.eetuning.train;

import java.util.ArrayList;
import java.util.List;

/** What the steps of a run took. */
final class StepTimes {
  private final long tokens;
  private final List<Double> seconds = new ArrayList<>();

  /**
   * @param tokens of a step
   */
  StepTimes(long tokens) {
    this.tokens = tokens;
  }

  void add(double took) {
    seconds.add(took);
  }

  /** Tokens a second over all steps; 0 where there were none. */
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
