package dev.sortie.eetuning.decode;

import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.InputException;
import java.util.List;

/**
 * When to stop, and how to choose.
 *
 * @param maxTokens tokens at most
 * @param sampling how tokens are chosen
 * @param stop texts that end the output; they are not part of it
 * @param ignoreEos whether to continue after an end-of-text token
 */
public record GenerateOptions(
    int maxTokens, SamplingOptions sampling, List<String> stop, boolean ignoreEos) {
  public GenerateOptions {
    if (maxTokens < 1) {
      throw new InputException("--max-tokens " + maxTokens + " must be at least 1");
    }
    stop = List.copyOf(stop);
    if (stop.stream().anyMatch(String::isEmpty)) {
      throw new InputException("--stop must not be empty");
    }
  }
}
