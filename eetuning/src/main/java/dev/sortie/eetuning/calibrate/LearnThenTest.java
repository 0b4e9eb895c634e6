package dev.sortie.eetuning.calibrate;

import java.util.ArrayList;
import java.util.List;

/**
 * Thresholds whose risk is below a level with a given confidence, whatever the model and the data:
 * Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021, arXiv 2110.01052) with
 * fixed-sequence testing. Candidates are tested from the safest on, each at the whole error rate,
 * until one is not certified; the chance that any candidate certified has a higher risk than the
 * level is at most that error rate. So one may choose freely among them, such as the fastest.
 *
 * <p>The unit is a sequence, not a token: tokens of one text depend on each other. The promise is
 * about new sequences that come from where those for calibration came from.
 *
 * @param level highest risk, above 0, below 1
 * @param confidence chance at least that the promise holds, above 0, below 1
 * @param test of one candidate
 */
public record LearnThenTest(double level, double confidence, MeanTest test) {
  public LearnThenTest {
    if (!(level > 0 && level < 1)) {
      throw new dev.sortie.nn.InputException("--level " + level + " is outside 0 to 1");
    }
    if (!(confidence > 0 && confidence < 1)) {
      throw new dev.sortie.nn.InputException("--confidence " + confidence + " is outside 0 to 1");
    }
  }

  /**
   * A candidate that was tested.
   *
   * @param candidate the thresholds
   * @param risk mean loss over the sequences
   * @param pValue of the hypothesis that the risk is above the level
   * @param certified whether that was rejected, as for all candidates before it
   */
  public record Tested(Candidate candidate, double risk, double pValue, boolean certified) {}

  /**
   * Tests candidates in their order, the first that fails included.
   *
   * @param path chosen without looking at {@code sequences}
   */
  public List<Tested> run(List<Candidate> path, List<Trajectory> sequences, Risk risk) {
    List<Tested> tested = new ArrayList<>();
    for (Candidate c : path) {
      double[] losses =
          sequences.stream().mapToDouble(t -> risk.bounded(t.meanLoss(c.thresholds()))).toArray();
      double mean = java.util.Arrays.stream(losses).average().orElse(0);
      double p = test.pValue(losses, level);
      tested.add(new Tested(c, mean, p, p <= 1 - confidence));
      if (!tested.getLast().certified()) {
        break;
      }
    }
    return tested;
  }
}
