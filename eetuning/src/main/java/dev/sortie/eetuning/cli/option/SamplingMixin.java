package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import picocli.CommandLine.Option;

/** Options of sampling. */
final class SamplingMixin {
  @Option(
      names = "--temperature",
      paramLabel = "X",
      defaultValue = "0",
      description = "Sampling temperature; 0 is greedy decoding. Default: ${DEFAULT-VALUE}.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Sample from the N most likely tokens; 0 means all. Default: " + "${DEFAULT-VALUE}.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "X",
      defaultValue = "1",
      description =
          "Nucleus sampling: sample from the smallest set of tokens whose "
              + "probabilities sum to X. Default: ${DEFAULT-VALUE}.")
  private double topP;

  @Option(
      names = "--min-p",
      paramLabel = "X",
      defaultValue = "0",
      description =
          "Sample from tokens at least X times as probable as the most probable "
              + "one. Default: ${DEFAULT-VALUE}.")
  private double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description =
          "Values above 1 make tokens that occurred before less probable. Default: "
              + "${DEFAULT-VALUE}.")
  private double repetitionPenalty;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Random seed. Default: ${DEFAULT-VALUE}.")
  private long seed;

  SamplingOptions options() {
    return new SamplingOptions(temperature, topK, topP, minP, repetitionPenalty, seed);
  }
}
