package dev.sortie.eetuning;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.nn.load.LanguageModel;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A text that can be generated. Each call of a method generates it again, in the calling thread,
 * with the same result. Holds no memory of the model between calls.
 */
public final class TextRun {
  private final LanguageModel model;
  private final int[] prompt;
  private final List<Integer> ends;
  private final GenerateOptions options;
  private final Supplier<DecodingStrategy> begin;

  TextRun(
      LanguageModel model,
      int[] prompt,
      List<Integer> ends,
      GenerateOptions options,
      Supplier<DecodingStrategy> begin) {
    this.model = model;
    this.prompt = prompt;
    this.ends = ends;
    this.options = options;
    this.begin = begin;
  }

  /**
   * Generates.
   *
   * @param listener gets each token as it is generated. The tokens' texts joined are the text; some
   *     are empty, because a character or a stop text is not complete yet
   * @return the text with times, tokens, exits and the reason of its end
   */
  public Generation forEach(Consumer<? super GeneratedToken> listener) {
    return forEach(listener, () -> false);
  }

  /**
   * Generates until it is cancelled.
   *
   * @param listener as above
   * @param cancelled called after each token; if it returns true, that token is the last
   */
  public Generation forEach(Consumer<? super GeneratedToken> listener, BooleanSupplier cancelled) {
    try (DecodingStrategy strategy = begin.get()) {
      return new Generator(strategy, model.tokenizer(), ends, model.config().decoder().vocab())
          .run(prompt, options, listener::accept, cancelled);
    }
  }

  /** Generates and returns the text, without the prompt. */
  public String text() {
    return forEach(token -> {}).text();
  }

  /** Returns the number of tokens of the prompt. */
  public int promptTokens() {
    return prompt.length;
  }
}
