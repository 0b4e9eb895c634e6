package dev.sortie.eetuning;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.InputException;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * How a text is generated: when it ends, how tokens are chosen, and by which strategy their logits
 * are computed. Immutable; each method gives other options.
 *
 * @param text when to stop and how to choose
 * @param strategy how logits are computed
 */
public record TextOptions(GenerateOptions text, Strategy strategy) {

  /** Refuses nulls. */
  public TextOptions {
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(strategy, "strategy");
  }

  /**
   * Always the most likely token, at full depth, until the text ends or has so many tokens.
   *
   * @throws InputException unless that is 1 or more
   */
  public static TextOptions atMost(int tokens) {
    return new TextOptions(
        new GenerateOptions(tokens, SamplingOptions.GREEDY, List.of(), false), Strategy.FULL);
  }

  /** The same, its tokens chosen in another way. */
  public TextOptions sampling(SamplingOptions sampling) {
    return new TextOptions(
        new GenerateOptions(
            text.maxTokens(),
            sampling,
            text.stop(),
            text.ignoreEos(),
            text.rules(),
            text.logprobs()),
        strategy);
  }

  /**
   * The same, sampled.
   *
   * @param temperature divides the logits, above 0 to 100; 0 is the most likely token
   * @param seed of the random numbers
   */
  public TextOptions sampling(double temperature, long seed) {
    SamplingOptions s = text.sampling();
    return sampling(
        new SamplingOptions(
            temperature, s.topK(), s.topP(), s.minP(), s.repetitionPenalty(), seed));
  }

  /** The same, ended by one of these texts too, which are no part of the output. */
  public TextOptions stop(String... texts) {
    return new TextOptions(
        new GenerateOptions(
            text.maxTokens(),
            text.sampling(),
            List.of(texts),
            text.ignoreEos(),
            text.rules(),
            text.logprobs()),
        strategy);
  }

  /** The same with one more rule for its logits, such as a grammar, behind those it has. */
  public TextOptions rule(Supplier<LogitRule> rule) {
    return new TextOptions(text.with(rule), strategy);
  }

  /** The same by another strategy. */
  public TextOptions strategy(Strategy other) {
    return new TextOptions(text, other);
  }
}
