package dev.sortie.eetuning.serve.api;

/** Logarithms of probabilities in JSON, which has no infinity. */
final class Logprob {
  /** What the API gives for a token that cannot come. */
  private static final double LEAST = -9999;

  private Logprob() {}

  static double finite(double logprob) {
    return Math.max(LEAST, logprob);
  }
}
