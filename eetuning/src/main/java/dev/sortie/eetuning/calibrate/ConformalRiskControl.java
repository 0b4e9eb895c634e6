package dev.sortie.eetuning.calibrate;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/**
 * The marginal guarantee: on average over calibration data and a new sequence, the risk is at most
 * the level. Conformal Risk Control (Angelopoulos, Bates, Fisch, Lei and Schuster 2022, arXiv
 * 2208.02814, section 2.1), as Jazbec et al. 2024 use it for early exits (arXiv 2405.20915, section
 * 4). Weaker than {@link LearnThenTest}, for a single calibration may come out above the level, and
 * it needs fewer sequences.
 *
 * <p>A candidate is certified while {@code (n R + 1) / (n + 1)} is at most the level, where {@code
 * R} is the mean of the losses of {@code n} sequences and 1 the greatest loss. This holds for
 * losses that do not fall along the path. A sequence may lose less at a lower threshold, so each
 * has the highest loss that it has had along the path: this dominates the loss of every candidate
 * up to there, and so of the one that is chosen.
 *
 * @param level highest risk, above 0, below 1
 */
public record ConformalRiskControl(double level) implements Guarantee {
  static final String WORD = "marginal";

  public ConformalRiskControl {
    Guarantee.requireLevel(level);
  }

  @Override
  public String word() {
    return WORD;
  }

  @Override
  public String condition() {
    return "on average";
  }

  @Override
  public String scoreName() {
    return "bound";
  }

  @Override
  public int fewest() {
    int n = (int) Math.max(1, Math.floor(1 / level - 1));
    return passes(bound(0, n)) ? n : n + 1;
  }

  private static double bound(double sum, int n) {
    return (sum + 1) / (n + 1);
  }

  @Override
  public ToDoubleFunction<double[]> scores() {
    return new HighestSoFar();
  }

  /** The bound from the highest loss that each sequence has had. */
  private static final class HighestSoFar implements ToDoubleFunction<double[]> {
    private double[] highest = {};

    @Override
    public double applyAsDouble(double[] losses) {
      double[] before = highest;
      highest = losses.clone();
      for (int i = 0; i < before.length; i++) {
        highest[i] = Math.max(before[i], losses[i]);
      }
      return bound(Arrays.stream(highest).sum(), losses.length);
    }
  }

  @Override
  public boolean passes(double bound) {
    return bound <= level;
  }
}
