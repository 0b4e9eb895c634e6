package dev.sortie.eetuning;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.InputException;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * How a text is generated: when it ends, how tokens are chosen, and which strategy computes their
 * logits. Immutable; each method returns a modified copy.
 *
 * @param text when to stop and how to choose tokens
 * @param strategy how logits are computed
 */
public record TextOptions(GenerateOptions text, Strategy strategy) {

  /** Checks for nulls. */
  public TextOptions {
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(strategy, "strategy");
  }

  /**
   * Greedy decoding at full depth, until the text ends or has this number of tokens.
   *
   * @throws InputException if the number is below 1
   */
  public static TextOptions atMost(int tokens) {
    return new TextOptions(
        new GenerateOptions(tokens, SamplingOptions.GREEDY, List.of(), false), Strategy.FULL);
  }

  /** Returns a copy with other sampling options. */
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
   * Returns a copy that samples tokens.
   *
   * @param temperature divides the logits, up to 100; 0 is greedy
   * @param seed of the random numbers
   */
  public TextOptions sampling(double temperature, long seed) {
    return sampling(text.sampling().with(temperature, seed));
  }

  /** Returns a copy that also ends at one of these texts, which are not part of the output. */
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

  /** Returns a copy with one more rule for the logits, such as a grammar, after the others. */
  public TextOptions rule(Supplier<LogitRule> rule) {
    return new TextOptions(text.with(rule), strategy);
  }

  /** Returns a copy with another strategy. */
  public TextOptions strategy(Strategy other) {
    return new TextOptions(text, other);
  }
}
