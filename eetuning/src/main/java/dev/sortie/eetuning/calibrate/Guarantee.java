package dev.sortie.eetuning.calibrate;

import dev.sortie.nn.UsageException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/**
 * What is guaranteed of the risk of the thresholds that are chosen, and how candidates are tested
 * for it. Nothing is assumed of the model or the exits. Sequences are independent of each other,
 * and new ones come from the same distribution as those for calibration. The unit is a sequence,
 * not a token: tokens of one text depend on each other.
 */
public sealed interface Guarantee permits LearnThenTest, ConformalRiskControl {
  /** Highest risk, above 0, below 1. */
  double level();

  /** The word used in files and options. */
  String word();

  /** Under which conditions the risk is at most the level, to follow "at most 0.05". */
  String condition();

  /** What {@link Tested#score} is. */
  String scoreName();

  /** The fewest sequences with which anything can be certified: if none of them loses anything. */
  int fewest();

  /**
   * A score of each candidate of a path, in its order, from the losses of all sequences; it may
   * depend on those of the candidates before.
   */
  ToDoubleFunction<double[]> scores();

  /** Whether a candidate with this score passes. */
  boolean passes(double score);

  /**
   * Tests candidates in their order, the first that fails included. One may choose freely among
   * those that are certified.
   *
   * @param path chosen without looking at {@code sequences}, the safest first
   * @param sequences at least one
   */
  default List<Tested> run(List<Candidate> path, List<Trajectory> sequences, Risk risk) {
    ToDoubleFunction<double[]> scores = scores();
    List<Tested> tested = new ArrayList<>();
    for (Candidate c : path) {
      double[] losses =
          sequences.stream().mapToDouble(t -> risk.bounded(t.meanLoss(c.thresholds()))).toArray();
      double score = scores.applyAsDouble(losses);
      double mean = Arrays.stream(losses).average().orElseThrow();
      tested.add(new Tested(c, mean, score, passes(score)));
      if (!passes(score)) {
        break;
      }
    }
    return tested;
  }

  /**
   * A candidate that was tested.
   *
   * @param candidate the thresholds
   * @param risk mean loss over the sequences
   * @param score what decided
   * @param certified whether it passed, as all candidates before it did
   */
  record Tested(Candidate candidate, double risk, double score, boolean certified) {}

  /** Fails unless a level is between 0 and 1. */
  static void requireLevel(double level) {
    if (!(level > 0 && level < 1)) {
      throw new UsageException("--level " + level + " is not above 0 and below 1");
    }
  }

  /**
   * The guarantee that words of options name.
   *
   * @param confidence empty if it was not given
   * @param test null if it was not given
   */
  static Guarantee of(String word, double level, OptionalDouble confidence, String test) {
    switch (word) {
      case LearnThenTest.WORD -> {
        MeanTest mean = test == null ? MeanTest.HOEFFDING_BENTKUS : MeanTest.of(test);
        return new LearnThenTest(level, confidence.orElse(LearnThenTest.CONFIDENCE), mean);
      }
      case ConformalRiskControl.WORD -> {
        if (confidence.isPresent() || test != null) {
          throw new UsageException(
              "%s does not apply to --guarantee %s, which holds on average over calibration data; leave it out"
                  .formatted(
                      confidence.isPresent()
                          ? "--confidence " + confidence.getAsDouble()
                          : "--test " + test,
                      word));
        }
        return new ConformalRiskControl(level);
      }
      default ->
          throw new UsageException(
              "--guarantee '%s' is unknown; take %s or %s"
                  .formatted(word, LearnThenTest.WORD, ConformalRiskControl.WORD));
    }
  }
}
