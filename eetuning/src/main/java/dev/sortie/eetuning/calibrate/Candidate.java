package dev.sortie.eetuning.calibrate;

import java.util.ArrayList;
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

  /** Confidences that {@link #shared} tries, falling. */
  static double[] ladder() {
    return ONE.clone();
  }
}
