package dev.sortie.eetuning.decode;

import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * When to stop, and how to choose.
 *
 * @param maxTokens tokens at most
 * @param sampling how tokens are chosen
 * @param stop texts that end the output; they are not part of it
 * @param ignoreEos whether to continue after an end-of-text token
 * @param rules of the text's logits, made anew for each text
 * @param logprobs how many of the likeliest tokens are named with each token, and its own
 *     probability with them; empty where nobody asks
 */
public record GenerateOptions(
    int maxTokens,
    SamplingOptions sampling,
    List<String> stop,
    boolean ignoreEos,
    List<Supplier<LogitRule>> rules,
    OptionalInt logprobs) {
  public GenerateOptions {
    if (maxTokens < 1) {
      throw new UsageException("--max-tokens " + maxTokens + " must be at least 1");
    }
    stop = List.copyOf(stop);
    if (stop.stream().anyMatch(String::isEmpty)) {
      throw new UsageException("--stop must not be empty");
    }
    rules = List.copyOf(rules);
  }

  /** Without rules and probabilities. */
  public GenerateOptions(
      int maxTokens, SamplingOptions sampling, List<String> stop, boolean ignoreEos) {
    this(maxTokens, sampling, stop, ignoreEos, List.of(), OptionalInt.empty());
  }

  /** The same for another number of tokens. */
  public GenerateOptions atMost(int tokens) {
    return new GenerateOptions(tokens, sampling, stop, ignoreEos, rules, logprobs);
  }

  /** The same with one more rule, after the others. */
  public GenerateOptions with(Supplier<LogitRule> rule) {
    List<Supplier<LogitRule>> all = new ArrayList<>(rules);
    all.add(rule);
    return new GenerateOptions(maxTokens, sampling, stop, ignoreEos, all, logprobs);
  }
}
