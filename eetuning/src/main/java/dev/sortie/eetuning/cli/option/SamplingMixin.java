package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import picocli.CommandLine.Option;

/** Options of sampling. */
final class SamplingMixin {
  @Option(
      names = "--temperature",
      paramLabel = "X",
      defaultValue = "0",
      description = "0 takes the most likely token. Default: ${DEFAULT-VALUE}.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      defaultValue = "0",
      description = "Keep the N most likely tokens; 0 keeps all. Default: ${DEFAULT-VALUE}.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "X",
      defaultValue = "1",
      description = "Keep the fewest tokens that sum to X. Default: ${DEFAULT-VALUE}.")
  private double topP;

  @Option(
      names = "--min-p",
      paramLabel = "X",
      defaultValue = "0",
      description =
          "Keep tokens at least X times as likely as the likeliest. Default: ${DEFAULT-VALUE}.")
  private double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "Above 1 makes seen tokens less likely. Default: ${DEFAULT-VALUE}.")
  private double repetitionPenalty;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of the random numbers. Default: ${DEFAULT-VALUE}.")
  private long seed;

  SamplingOptions options() {
    return new SamplingOptions(temperature, topK, topP, minP, repetitionPenalty, seed);
  }
}
