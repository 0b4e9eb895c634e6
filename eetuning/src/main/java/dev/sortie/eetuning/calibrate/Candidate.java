package dev.sortie.eetuning.calibrate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Thresholds that may be chosen.
 *
 * @param name of this candidate among its path, such as {@code 0.9}
 * @param thresholds by depth, shallow first; 1 never exits
 */
public record Candidate(double name, SequencedMap<Integer, Double> thresholds) {
  /** Confidences to try: finer where many tokens have them. */
  private static final double[] ONE = {
    0.999, 0.998, 0.995, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9, 0.88, 0.86, 0.84, 0.82, 0.8,
    0.78, 0.76, 0.74, 0.72, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1,
    0.05, 0
  };

  /** Losses at an exit to try, where each exit has a threshold of its own. */
  private static final double[] LOSSES = {
    0, 0.002, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.0175, 0.02, 0.025, 0.03, 0.035, 0.04, 0.05,
    0.06, 0.07, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5
  };

  public Candidate {
    thresholds = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(thresholds));
  }

  /** One threshold for all exits, falling: the safest first. */
  public static List<Candidate> shared(List<Integer> depths) {
    List<Candidate> path = new ArrayList<>();
    for (double threshold : ONE) {
      SequencedMap<Integer, Double> all = new LinkedHashMap<>();
      depths.forEach(d -> all.put(d, threshold));
      path.add(new Candidate(threshold, all));
    }
    return path;
  }

  /**
   * A threshold for each exit, from sequences that are not used for testing: the lowest one above
   * which the tokens of that exit lose at most a given mean; that mean rises along the path, so the
   * thresholds fall.
   */
  public static List<Candidate> perExit(List<Trajectory> tuning) {
    List<Integer> depths = tuning.getFirst().depths();
    List<double[][]> curves = new ArrayList<>();
    for (int e = 0; e < depths.size(); e++) {
      curves.add(curve(tuning, e));
    }
    List<Candidate> path = new ArrayList<>();
    for (double mean : LOSSES) {
      SequencedMap<Integer, Double> each = new LinkedHashMap<>();
      for (int e = 0; e < depths.size(); e++) {
        each.put(depths.get(e), lowest(curves.get(e), mean));
      }
      if (path.isEmpty() || !path.getLast().thresholds().equals(each)) {
        path.add(new Candidate(mean, each));
      }
    }
    return path;
  }

  /** Confidences falling, and the mean loss of all tokens at least that confident. */
  private static double[][] curve(List<Trajectory> tuning, int exit) {
    int tokens = tuning.stream().mapToInt(Trajectory::tokens).sum();
    double[][] points = new double[tokens][];
    int i = 0;
    for (Trajectory t : tuning) {
      for (int k = 0; k < t.tokens(); k++) {
        points[i++] = new double[] {t.confidence()[exit][k], t.loss()[exit][k]};
      }
    }
    Arrays.sort(points, (a, b) -> Double.compare(b[0], a[0]));
    double sum = 0;
    for (int k = 0; k < tokens; k++) {
      sum += points[k][1];
      points[k][1] = sum / (k + 1);
    }
    return points;
  }

  private static double lowest(double[][] curve, double mean) {
    double threshold = 1;
    for (int k = 0; k < curve.length; k++) {
      // equal confidences leave together
      boolean whole = k + 1 == curve.length || curve[k + 1][0] < curve[k][0];
      if (whole && curve[k][1] <= mean) {
        threshold = curve[k][0];
      }
    }
    return Math.min(1, threshold);
  }
}
