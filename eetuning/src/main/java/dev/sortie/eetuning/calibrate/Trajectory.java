package dev.sortie.eetuning.calibrate;

import dev.sortie.eetuning.eval.TokenReadings;
import java.util.List;
import java.util.SequencedMap;

/**
 * What the exits would have done on one sequence of tokens.
 *
 * @param depths depths of the exits, shallow first
 * @param confidence of each exit at each token, {@code [exit][token]}
 * @param loss what is lost where that exit decides, {@code [exit][token]}; nothing at the final
 *     layer
 */
public record Trajectory(List<Integer> depths, double[][] confidence, double[][] loss) {
  public Trajectory {
    depths = List.copyOf(depths);
    if (confidence.length != depths.size() || loss.length != depths.size()) {
      throw new IllegalArgumentException(
          depths.size() + " exits, " + confidence.length + " and " + loss.length + " rows");
    }
  }

  /** That of a text that was read, under a risk. */
  public static Trajectory of(TokenReadings readings, Risk risk) {
    int exits = readings.depths().size();
    double[][] confidence = new double[exits][];
    double[][] loss = new double[exits][readings.tokens()];
    for (int e = 0; e < exits; e++) {
      TokenReadings.Head head = readings.exits().get(e);
      confidence[e] = head.confidences();
      for (int t = 0; t < readings.tokens(); t++) {
        loss[e][t] = risk.loss(head, readings.last(), t);
      }
    }
    return new Trajectory(readings.depths(), confidence, loss);
  }

  /** Number of tokens. */
  public int tokens() {
    return depths.isEmpty() ? 0 : confidence[0].length;
  }

  /**
   * Where each token leaves: the depth of the first exit whose confidence reaches its threshold; 0
   * for the final layer. That no more than 15 tokens may wait is left out: then decoding goes to
   * the final layer more often, which loses nothing.
   */
  public int[] exits(SequencedMap<Integer, Double> thresholds) {
    int[] left = new int[tokens()];
    for (int t = 0; t < left.length; t++) {
      int e = first(thresholds, t);
      left[t] = e < 0 ? 0 : depths.get(e);
    }
    return left;
  }

  /** The mean loss of its tokens. */
  public double meanLoss(SequencedMap<Integer, Double> thresholds) {
    double sum = 0;
    for (int t = 0; t < tokens(); t++) {
      int e = first(thresholds, t);
      sum += e < 0 ? 0 : loss[e][t];
    }
    return sum / tokens();
  }

  private int first(SequencedMap<Integer, Double> thresholds, int token) {
    for (int e = 0; e < depths.size(); e++) {
      double threshold = thresholds.getOrDefault(depths.get(e), 1.0);
      if (threshold < 1 && confidence[e][token] >= threshold) {
        return e;
      }
    }
    return -1;
  }
}
