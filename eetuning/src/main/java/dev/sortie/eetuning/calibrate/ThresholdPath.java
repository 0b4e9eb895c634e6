package dev.sortie.eetuning.calibrate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.ToDoubleFunction;

/**
 * Candidates with a threshold for each exit, to be tested one after another: the Pareto front of
 * loss against time, as in Pareto Testing (arXiv 2210.07913). They are looked for among one
 * threshold for all, and on a path that begins where no exit is taken and at each step lowers the
 * threshold of one exit, that one and so far as saves the most seconds for what more is lost, with
 * the thresholds between.
 *
 * @param tuning sequences that are not used for testing
 * @param seconds that decoding them takes, by thresholds
 */
record ThresholdPath(
    List<Trajectory> tuning, ToDoubleFunction<SequencedMap<Integer, Double>> seconds) {

  /** Thresholds, what they take and what they lose. */
  private record Point(SequencedMap<Integer, Double> thresholds, double seconds, double loss) {}

  /** The front, safest first; where no threshold saves time, one threshold for all. */
  List<Candidate> candidates() {
    List<Integer> depths = tuning.getFirst().depths();
    SequencedMap<Integer, Double> none = new LinkedHashMap<>();
    depths.forEach(d -> none.put(d, 1.0));
    Point start = point(none);
    List<Candidate> shared = Candidate.shared(depths);
    List<Point> points = new ArrayList<>(path(start));
    shared.forEach(c -> points.add(point(c.thresholds())));
    points.sort(Comparator.comparingDouble(Point::loss).thenComparingDouble(Point::seconds));
    List<Candidate> front = new ArrayList<>();
    double least = start.seconds();
    for (Point p : points) {
      if (p.seconds() < least) {
        front.add(new Candidate(p.loss(), p.thresholds()));
        least = p.seconds();
      }
    }
    return front.isEmpty() ? shared : front;
  }

  private List<Point> path(Point start) {
    List<Point> path = new ArrayList<>();
    Point now = start;
    for (Point next = best(now); next != null; next = best(now)) {
      for (int depth : now.thresholds().keySet()) {
        SequencedMap<Integer, Double> between = new LinkedHashMap<>(now.thresholds());
        for (double threshold : Candidate.ladder()) {
          if (threshold < now.thresholds().get(depth)
              && threshold >= next.thresholds().get(depth)) {
            between.put(depth, threshold);
            path.add(point(between));
          }
        }
      }
      now = next;
    }
    return path;
  }

  /** With one threshold lowered, what saves the most for what it loses; null if nothing saves. */
  private Point best(Point now) {
    Point best = null;
    double most = 0;
    for (int depth : now.thresholds().keySet()) {
      for (double threshold : Candidate.ladder()) {
        if (threshold >= now.thresholds().get(depth)) {
          continue;
        }
        SequencedMap<Integer, Double> tried = new LinkedHashMap<>(now.thresholds());
        tried.put(depth, threshold);
        Point p = point(tried);
        double saved = now.seconds() - p.seconds();
        // what loses nothing comes first
        double gain = saved / Math.max(p.loss() - now.loss(), Double.MIN_NORMAL);
        if (saved > 0 && gain > most) {
          best = p;
          most = gain;
        }
      }
    }
    return best;
  }

  private Point point(SequencedMap<Integer, Double> thresholds) {
    double loss = tuning.stream().mapToDouble(t -> t.meanLoss(thresholds)).average().orElseThrow();
    return new Point(new LinkedHashMap<>(thresholds), seconds.applyAsDouble(thresholds), loss);
  }
}
