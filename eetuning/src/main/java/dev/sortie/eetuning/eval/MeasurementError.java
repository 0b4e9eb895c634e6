package dev.sortie.eetuning.eval;

import java.util.List;
import java.util.stream.DoubleStream;

/**
 * How far from 1 a speed-up may come out although nothing is faster, found from the rows of the
 * same run that change nothing ({@link Technique#NONE}).
 *
 * <p>A speed-up is the median of n pairs, so it is beyond a distance only if half of the pairs are.
 * With the share p of all unchanged pairs that are beyond it on one side, that has the probability
 * {@code P(Bin(n, p) >= n / 2)}. The error is the smallest distance at which this is at most {@link
 * #RISK} divided by the number of rows that change something: whatever their number, the
 * probability that any of them passes for a gain by accident is at most {@link #RISK}. The share is
 * counted as {@code (beyond + 1) / (pairs + 1)}, as in permutation tests, so that few pairs never
 * prove much; and no unchanged row lies beyond the error.
 *
 * @param value distance from 1, such as 0.02: speed-ups from {@code 1 / (1 + value)} to {@code 1 +
 *     value} are within the error; infinite where the pairs are too few to know
 * @param least smallest speed-up of a row that changes nothing; 1 if there is none
 * @param most largest speed-up of a row that changes nothing; 1 if there is none
 * @param pairs pairs for each row
 */
public record MeasurementError(double value, double least, double most, int pairs) {
  /** Probability, over all rows of a run, that one which is no faster is called a gain. */
  public static final double RISK = 0.05;

  /** What a speed-up is called. */
  public enum Verdict {
    GAIN("gain"),
    LOSS("loss"),
    WITHIN("within error");

    private final String label;

    Verdict(String label) {
      this.label = label;
    }

    /** Its name for people and in JSON. */
    public String label() {
      return label;
    }
  }

  /** The error of a run from all its rows. */
  public static MeasurementError of(List<SweepPoint> rows) {
    List<SweepPoint> unchanged =
        rows.stream().filter(p -> p.technique() == Technique.NONE).toList();
    int pairs = rows.stream().mapToInt(p -> p.ratios().size()).min().orElse(0);
    double[] ratios =
        unchanged.stream().flatMap(p -> p.ratios().stream()).mapToDouble(r -> r).toArray();
    double risk = RISK / Math.max(1, rows.size() - unchanged.size());
    double seen = distances(speedups(unchanged)).max().orElse(0);
    double error =
        distances(DoubleStream.of(ratios))
            .sorted()
            .filter(e -> atLeastHalf(pairs, share(ratios, e)) <= risk)
            .findFirst()
            .orElse(Double.POSITIVE_INFINITY);
    return new MeasurementError(
        Math.max(error, seen),
        speedups(unchanged).min().orElse(1),
        speedups(unchanged).max().orElse(1),
        pairs);
  }

  /** Whether there were pairs enough to find the error. */
  public boolean isKnown() {
    return Double.isFinite(value);
  }

  /** What a speed-up is called: a gain only if it is larger than the error. */
  public Verdict verdict(double speedup) {
    if (distance(speedup) <= value) {
      return Verdict.WITHIN;
    }
    return speedup > 1 ? Verdict.GAIN : Verdict.LOSS;
  }

  private static DoubleStream speedups(List<SweepPoint> rows) {
    return rows.stream().mapToDouble(SweepPoint::speedup);
  }

  private static DoubleStream distances(DoubleStream ratios) {
    return ratios.map(MeasurementError::distance);
  }

  /** The same for twice and for half as fast. */
  private static double distance(double ratio) {
    return Math.max(ratio, 1 / ratio) - 1;
  }

  /** The larger of the shares of pairs that are slower and faster by more than {@code error}. */
  private static double share(double[] ratios, double error) {
    long faster = DoubleStream.of(ratios).filter(r -> r > 1 && distance(r) > error).count();
    long slower = DoubleStream.of(ratios).filter(r -> r < 1 && distance(r) > error).count();
    return (Math.max(faster, slower) + 1.0) / (ratios.length + 1);
  }

  /** Probability that at least half of n independent events of probability p happen. */
  private static double atLeastHalf(int n, double p) {
    if (p >= 1) {
      return 1;
    }
    int half = (n + 1) / 2;
    double log = half * Math.log(p) + (n - half) * Math.log(1 - p);
    for (int i = 1; i <= half; i++) {
      log += Math.log((double) (n - half + i) / i);
    }
    double term = Math.exp(log);
    double sum = 0;
    for (int k = half; k <= n; k++) {
      sum += term;
      term *= p / (1 - p) * (n - k) / (k + 1);
    }
    return sum;
  }
}
