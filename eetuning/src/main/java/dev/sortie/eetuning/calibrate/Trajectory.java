package dev.sortie.eetuning.calibrate;

import dev.sortie.eetuning.cost.EarlyExitCost;
import dev.sortie.eetuning.decode.policy.ExitSchedule;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.speculative.SpeculationDryRun;
import dev.sortie.eetuning.eval.TokenReadings;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.IntToDoubleFunction;

/**
 * What the exits would have done on one sequence of tokens.
 *
 * @param layers of the backbone; an exit at that depth stands after them all
 * @param depths depths of the exits, shallow first
 * @param confidence of each exit at each token, {@code [exit][token]}
 * @param loss what is lost where that exit decides, {@code [exit][token]}; nothing at the final
 *     layer
 * @param rows tokens read by the pass that begins at each token, draft tokens after it among them;
 *     0 where the pass before has read it
 */
public record Trajectory(
    int layers, List<Integer> depths, double[][] confidence, double[][] loss, int[] rows) {
  public Trajectory {
    depths = List.copyOf(depths);
    if (confidence.length != depths.size() || loss.length != depths.size()) {
      throw new IllegalArgumentException(
          depths.size() + " exits, " + confidence.length + " and " + loss.length + " rows");
    }
  }

  /** Without drafts. */
  public Trajectory(int layers, List<Integer> depths, double[][] confidence, double[][] loss) {
    this(
        layers,
        depths,
        confidence,
        loss,
        EarlyExitCost.alone(depths.isEmpty() ? 0 : confidence[0].length));
  }

  /**
   * That of a text that was read, under a risk, with drafts by prompt look-up.
   *
   * @param pass seconds of a pass over so many tokens
   */
  public static Trajectory of(
      int layers, TokenReadings readings, Risk risk, IntToDoubleFunction pass) {
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
    // the token before the first predicted one is read first
    int[] rows = SpeculationDryRun.rows(readings.text(), readings.given() - 1, pass);
    return new Trajectory(layers, readings.depths(), confidence, loss, rows);
  }

  /** Number of tokens. */
  public int tokens() {
    return depths.isEmpty() ? 0 : confidence[0].length;
  }

  /**
   * Where each token leaves, as decoding does it: the depth of the first exit that is asked and
   * whose confidence reaches its threshold; 0 for the final layer. None is asked where the most
   * tokens wait that may, and one that was not taken for long is asked less often.
   */
  public int[] exits(SequencedMap<Integer, Double> thresholds) {
    double[] least = depths.stream().mapToDouble(d -> thresholds.getOrDefault(d, 1.0)).toArray();
    int[] left = new int[tokens()];
    int between = (int) depths.stream().filter(d -> d < layers).count();
    ExitSchedule schedule = new ExitSchedule(least.length, between, EarlyExit.MAX_PENDING, true);
    for (int t = 0; t < left.length; t++) {
      int e = first(least, t, schedule);
      schedule.left(e);
      left[t] = e < least.length ? depths.get(e) : 0;
    }
    return left;
  }

  /** The mean loss of its tokens. */
  public double meanLoss(SequencedMap<Integer, Double> thresholds) {
    int[] left = exits(thresholds);
    double sum = 0;
    for (int t = 0; t < left.length; t++) {
      sum += left[t] == 0 ? 0 : loss[depths.indexOf(left[t])][t];
    }
    return sum / left.length;
  }

  /** The exit taken; those before the last layer only where another token may wait. */
  private int first(double[] least, int token, ExitSchedule schedule) {
    for (int e = 0; e < least.length; e++) {
      if (schedule.asks(e) && least[e] < 1 && confidence[e][token] >= least[e]) {
        return e;
      }
    }
    return least.length;
  }
}
