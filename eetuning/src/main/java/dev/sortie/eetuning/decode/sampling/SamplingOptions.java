package dev.sortie.eetuning.decode.sampling;

import dev.sortie.nn.UsageException;

/**
 * How a token is chosen from logits.
 *
 * @param temperature divides the logits; 0 is greedy
 * @param topK keep the K most likely; 0 keeps all
 * @param topP keep the fewest whose probabilities sum to P; 1 keeps all
 * @param minP keep those at least P times as likely as the most likely; 0 keeps all
 * @param repetitionPenalty divides positive logits of tokens seen before and multiplies negative
 *     ones (arXiv 1909.05858); 1 does nothing
 * @param promptPenalised whether tokens of the prompt were seen; if not, only chosen tokens were
 * @param seed of the random numbers; number {@code i} decides position {@code i}
 */
public record SamplingOptions(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    boolean promptPenalised,
    long seed) {
  /** Always the most likely token. */
  public static final SamplingOptions GREEDY = new SamplingOptions(0, 0, 1, 0, 1, 0);

  /** A logit divided by less could become infinite. */
  public static final double LEAST_PENALTY = 0.01;

  public SamplingOptions {
    require(temperature >= 0 && temperature <= 100, "--temperature", temperature, "0 to 100");
    require(topK >= 0, "--top-k", topK, "0 or more");
    require(topP > 0 && topP <= 1, "--top-p", topP, "above 0 to 1");
    require(minP >= 0 && minP <= 1, "--min-p", minP, "0 to 1");
    require(
        repetitionPenalty >= LEAST_PENALTY && repetitionPenalty <= 100,
        "--repetition-penalty",
        repetitionPenalty,
        LEAST_PENALTY + " to 100");
  }

  /** Where the repetition penalty is for tokens of the prompt, too. */
  public SamplingOptions(
      double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
    this(temperature, topK, topP, minP, repetitionPenalty, true, seed);
  }

  /** The same with another temperature and seed. */
  public SamplingOptions with(double otherTemperature, long otherSeed) {
    return new SamplingOptions(
        otherTemperature, topK, topP, minP, repetitionPenalty, promptPenalised, otherSeed);
  }

  private static void require(boolean ok, String option, Number value, String allowed) {
    if (!ok) {
      throw new UsageException(option + " " + value + " is out of range; take " + allowed);
    }
  }
}
