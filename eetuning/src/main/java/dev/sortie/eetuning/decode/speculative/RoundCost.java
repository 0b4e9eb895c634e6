package dev.sortie.eetuning.decode.speculative;

/**
 * What a draft of some tokens and its verification cost, in passes over one token. Measured ratios
 * count as far as they are recent; between and beyond them a straight line serves, so one bad
 * measurement is forgotten.
 */
final class RoundCost {
  /** What a round leaves of the weight of other lengths' measurements. */
  private static final double FADING = 0.98;

  /** Share of the newest measurement in a length's ratio. */
  private static final double NEWEST = 0.2;

  /** Weight of the assumed slope: as much as one measurement of 4 tokens. */
  private static final double ASSUMED = 16;

  /** Weight of the line against a fresh measurement. */
  private static final double LINE = 0.3;

  private final double assumedSlope;
  private final double[] ratio = new double[Speculative.MAX_DRAFT + 1];
  private final double[] weight = new double[Speculative.MAX_DRAFT + 1];

  /** Before measurements a draft of {@code k} tokens costs {@code 1 + k assumedSlope}. */
  RoundCost(double assumedSlope) {
    this.assumedSlope = assumedSlope;
  }

  /** A draft of {@code length} tokens, 1 or more, took {@code measured} passes. */
  void add(int length, double measured) {
    // the first passes of a length may be compiled on the way, or the machine be busy
    double bounded = Math.clamp(measured, 1, 2 * of(length));
    ratio[length] =
        weight[length] == 0 ? bounded : ratio[length] + NEWEST * (bounded - ratio[length]);
    for (int i = 1; i < weight.length; i++) {
      weight[i] *= FADING;
    }
    weight[length] = 1;
  }

  /** Passes that a draft of {@code length} tokens costs. */
  double of(int length) {
    double products = ASSUMED * assumedSlope;
    double squares = ASSUMED;
    for (int i = 1; i < weight.length; i++) {
      products += weight[i] * i * (ratio[i] - 1);
      squares += weight[i] * i * i;
    }
    double line = 1 + length * products / squares;
    return (weight[length] * ratio[length] + LINE * line) / (weight[length] + LINE);
  }
}
