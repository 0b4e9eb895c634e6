package dev.sortie.eetuning.calibrate;

import dev.sortie.nn.UsageException;
import java.util.function.ToDoubleFunction;

/**
 * The guarantee with high probability: the risk is at most the level unless the calibration data
 * were unusual, which happens with a probability of at most one minus the confidence. Learn then
 * Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021, arXiv 2110.01052) with fixed-sequence
 * testing: candidates are tested from the safest on, each at the whole error rate, until one is not
 * certified. The probability that any certified candidate has a higher risk than the level is at
 * most that error rate.
 *
 * @param level highest risk, above 0, below 1
 * @param confidence probability that the guarantee holds, at least; above 0, below 1
 * @param test of one candidate
 */
public record LearnThenTest(double level, double confidence, MeanTest test) implements Guarantee {
  static final String WORD = "high-probability";

  /** The confidence where none is given. */
  public static final double CONFIDENCE = 0.95;

  public LearnThenTest {
    Guarantee.requireLevel(level);
    if (!(confidence > 0 && confidence < 1)) {
      throw new UsageException("--confidence " + confidence + " is not above 0 and below 1");
    }
  }

  @Override
  public String word() {
    return WORD;
  }

  @Override
  public String condition() {
    return "with confidence " + confidence;
  }

  @Override
  public String scoreName() {
    return "p-value";
  }

  @Override
  public int fewest() {
    return test.fewest(level, 1 - confidence);
  }

  @Override
  public ToDoubleFunction<double[]> scores() {
    return losses -> test.pValue(losses, level);
  }

  @Override
  public boolean passes(double pValue) {
    return pValue <= 1 - confidence;
  }
}
