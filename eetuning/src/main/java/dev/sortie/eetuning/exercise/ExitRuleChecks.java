package dev.sortie.eetuning.exercise;

import dev.sortie.eetuning.calibrate.Candidate;
import dev.sortie.eetuning.calibrate.LearnThenTest;
import dev.sortie.eetuning.calibrate.MeanTest;
import dev.sortie.eetuning.calibrate.Risk;
import dev.sortie.eetuning.calibrate.Trajectory;
import dev.sortie.eetuning.display.NumberText;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What holds of an exit rule: the limits of its threshold, and that the engine's calibration finds
 * a threshold that is safe and still lets tokens leave. The exit's answers are recorded ones.
 */
final class ExitRuleChecks {
  /** Share of tokens that may differ from full depth. */
  private static final double LEVEL = 0.1;

  private static final double CONFIDENCE = 0.9;

  /** Layers of the embedded model, and the layer behind which the recorded exit stands. */
  private static final int LAYERS = 12;

  static final int DEPTH = 9;

  private static final double THRESHOLD = 0.8;

  private final ExitRule solution;
  private final List<RecordedExit> texts = RecordedExit.all();

  private ExitRuleChecks(ExitRule solution) {
    this.solution = solution;
  }

  static List<Check> of(ExitRule solution) {
    ExitRuleChecks checks = new ExitRuleChecks(solution);
    return List.of(
        Check.of(
            "a token leaves where the threshold is reached",
            "Compare with >=. No comparison with NaN is true.",
            checks::leavesWhereReached),
        Check.of(
            "at threshold 1 no token leaves",
            "Rounding can make a confidence exactly 1. Users take a threshold of 1 for full depth, so it needs a case of its own.",
            checks::oneIsNever),
        Check.of(
            "at threshold 0 every token leaves",
            "A confidence may be 0, and 0 >= 0.",
            checks::zeroIsAlways),
        Check.of(
            "confidences are 0 to 1, and certainty is 1",
            "Begin with how likely the most likely token is, or with how far it is ahead of the second.",
            checks::confidences),
        Check.of(
            "the probabilities are left as they are",
            "Others read them too. Copy the array before you change it.",
            checks::untouched),
        new Check(
            "calibration finds a threshold that is safe and useful",
            "The tokens on which the exit agrees with full depth must get higher confidences than the others.",
            checks::calibrated));
  }

  private boolean exits(double confidence, double threshold) {
    return solution.exits(confidence, threshold);
  }

  private void leavesWhereReached() {
    Check.require(exits(0.9, THRESHOLD), "confidence 0.9 does not leave at threshold 0.8");
    Check.require(exits(THRESHOLD, THRESHOLD), "confidence 0.8 does not leave at threshold 0.8");
    double below = Math.nextDown(THRESHOLD);
    Check.require(!exits(below, THRESHOLD), "confidence %s leaves at threshold 0.8", below);
    Check.require(!exits(Double.NaN, THRESHOLD), "confidence NaN leaves at threshold 0.8");
  }

  private void oneIsNever() {
    Check.require(!exits(1, 1), "confidence 1 leaves at threshold 1");
    double below = Math.nextDown(1.0);
    Check.require(exits(1, below), "confidence 1 does not leave at threshold %s", below);
  }

  private void zeroIsAlways() {
    for (double confidence : new double[] {0, Double.MIN_VALUE, 0.5, 1}) {
      Check.require(
          exits(confidence, 0), "confidence %s does not leave at threshold 0", confidence);
    }
  }

  private void confidences() {
    for (RecordedExit text : texts) {
      for (double[] largest : text.largest()) {
        double c = solution.confidence(largest.clone());
        Check.require(c >= 0 && c <= 1, "the confidence of %s is %s", Arrays.toString(largest), c);
      }
    }
    double[] certain = new double[RecordedExit.LARGEST];
    certain[0] = 1;
    double c = solution.confidence(certain.clone());
    Check.require(c == 1, "the confidence of %s is %s", Arrays.toString(certain), c);
  }

  private void untouched() {
    double[] largest = texts.getFirst().largest().getFirst();
    double[] copy = largest.clone();
    solution.confidence(copy);
    Check.require(Arrays.equals(largest, copy), "the probabilities were changed");
  }

  /** A safe threshold, and the share of tokens that leave there. */
  private record Safe(double threshold, double share) {
    @Override
    public String toString() {
      return "%s of tokens leave at threshold %s"
          .formatted(NumberText.percent(share), NumberText.plain(threshold));
    }
  }

  /** As calibrate does it, with the largest probability to compare with. */
  private String calibrated() {
    Safe own = safe(solution::confidence);
    Safe known = safe(largest -> largest[0]);
    Check.require(
        own.share() >= known.share() / 2,
        "with at most %s of tokens different from full depth, %s; by the largest probability, %s",
        NumberText.percent(LEVEL),
        own,
        known);
    return own + "; by the largest probability, " + known;
  }

  private Safe safe(ToDoubleFunction<double[]> rule) {
    List<Trajectory> trajectories = texts.stream().map(text -> trajectory(text, rule)).toList();
    LearnThenTest test = new LearnThenTest(LEVEL, CONFIDENCE, MeanTest.BETTING);
    Safe safe = new Safe(1, 0);
    for (LearnThenTest.Tested tested :
        test.run(Candidate.shared(List.of(DEPTH)), trajectories, Risk.DISAGREEMENT)) {
      if (tested.certified()) {
        Candidate candidate = tested.candidate();
        safe =
            new Safe(
                candidate.name(),
                trajectories.stream()
                    .mapToDouble(t -> share(t.exits(candidate.thresholds())))
                    .average()
                    .orElseThrow());
      }
    }
    return safe;
  }

  private static double share(int[] exits) {
    return Arrays.stream(exits).filter(depth -> depth > 0).count() / (double) exits.length;
  }

  private static Trajectory trajectory(RecordedExit text, ToDoubleFunction<double[]> rule) {
    double[] confidence = text.largest().stream().map(double[]::clone).mapToDouble(rule).toArray();
    double[] loss = text.agrees().stream().mapToDouble(agrees -> agrees ? 0 : 1).toArray();
    return new Trajectory(
        LAYERS, List.of(DEPTH), new double[][] {confidence}, new double[][] {loss});
  }
}
