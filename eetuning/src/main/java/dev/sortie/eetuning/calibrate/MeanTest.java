package dev.sortie.eetuning.calibrate;

import dev.sortie.nn.UsageException;

/**
 * A p-value for the hypothesis that the mean of losses between 0 and 1 is above a level. The losses
 * are independent and identically distributed; nothing else is assumed. Small values speak against
 * the hypothesis.
 */
public enum MeanTest {
  /**
   * The smaller of the tail bounds of Hoeffding (1963) and Bentkus (2004), as in Bates et al. 2021
   * (arXiv 2101.02703) and Angelopoulos et al. 2021 (arXiv 2110.01052, section 3.1). Sees the mean
   * alone.
   */
  HOEFFDING_BENTKUS("hoeffding-bentkus") {
    @Override
    public double pValue(double[] losses, double level) {
      double sum = 0;
      for (double loss : losses) {
        sum += loss;
      }
      int n = losses.length;
      double mean = sum / n;
      if (mean >= level) {
        return 1;
      }
      double hoeffding = Math.exp(-n * divergence(mean, level));
      // rounding upwards is safe; without the small part 3.0000000001 would count as 4
      int successes = (int) Math.ceil(sum - 1e-9);
      double bentkus = Math.E * binomialTail(n, level, successes);
      return Math.min(1, Math.min(hoeffding, bentkus));
    }
  },
  /**
   * Betting (Waudby-Smith and Ramdas, arXiv 2010.09686; in this form in Bates et al. 2021, section
   * 3.1.4): a capital that grows on average only if the mean is below the level, and whose inverse
   * maximum is therefore a p-value (Ville). Adapts to a small variance, so it certifies more.
   */
  BETTING("betting") {
    @Override
    public double pValue(double[] losses, double level) {
      int n = losses.length;
      double most = 1;
      double capital = 1;
      double sum = 0.5;
      double squares = 0.25;
      for (int i = 0; i < n; i++) {
        double variance = squares / (i + 1);
        double stake = Math.min(1, Math.sqrt(2 * Math.log(1 / STAKE_ERROR) / (n * variance)));
        capital *= 1 - stake * (losses[i] - level);
        most = Math.max(most, capital);
        sum += losses[i];
        double mean = sum / (i + 2);
        squares += (losses[i] - mean) * (losses[i] - mean);
      }
      return 1 / most;
    }
  };

  /** The error for which stakes are sized; any value is valid. */
  private static final double STAKE_ERROR = 0.05;

  /** Sequences that nobody has. */
  private static final int MOST = 1 << 24;

  private final String word;

  MeanTest(String word) {
    this.word = word;
  }

  /**
   * The p-value.
   *
   * @param losses one for each independent sequence, 0 to 1, in an order that does not depend on
   *     them
   * @param level above 0, below 1
   */
  public abstract double pValue(double[] losses, double level);

  /**
   * The fewest sequences with which a level could be certified: those that suffice if none loses
   * anything.
   */
  public int fewest(double level, double error) {
    int enough = 1;
    while (!certifies(enough, level, error)) {
      if (enough == MOST) {
        throw new UsageException(
            "--level " + level + " would need more than " + MOST + " sequences; take a higher one");
      }
      enough *= 2;
    }
    int tooFew = enough / 2;
    while (enough - tooFew > 1) {
      int middle = (tooFew + enough) / 2;
      if (certifies(middle, level, error)) {
        enough = middle;
      } else {
        tooFew = middle;
      }
    }
    return enough;
  }

  /** Whether so many sequences that lose nothing do; then more of them do too. */
  private boolean certifies(int sequences, double level, double error) {
    return pValue(new double[sequences], level) <= error;
  }

  /** The word used in files and options. */
  public String word() {
    return word;
  }

  /** The test that {@code word} names. */
  public static MeanTest of(String word) {
    for (MeanTest t : values()) {
      if (t.word.equals(word)) {
        return t;
      }
    }
    throw new UsageException("--test '" + word + "' is unknown; take hoeffding-bentkus or betting");
  }

  /** Kullback-Leibler divergence of two coins, nats. */
  private static double divergence(double a, double b) {
    double left = a == 0 ? 0 : a * Math.log(a / b);
    double right = a == 1 ? 0 : (1 - a) * Math.log((1 - a) / (1 - b));
    return left + right;
  }

  /** The probability of at most {@code successes} in {@code n} Bernoulli trials. */
  static double binomialTail(int n, double p, int successes) {
    double logOdds = Math.log(p) - Math.log1p(-p);
    double log = n * Math.log1p(-p);
    double tail = Math.exp(log);
    for (int k = 1; k <= Math.min(n, successes); k++) {
      log += logOdds + Math.log((double) (n - k + 1) / k);
      tail += Math.exp(log);
    }
    return Math.min(1, tail);
  }
}
