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
 * A text that can be generated: each call of a method generates it once more, in the thread that
 * calls, and gives the same text. Holds no memory of the model between calls.
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
   * @param listener gets each token as it comes. Texts of tokens put together are the text; some
   *     are empty, where a character or a stop text is not complete yet
   * @return the text with times, tokens, exits and why it ended
   */
  public Generation forEach(Consumer<? super GeneratedToken> listener) {
    return forEach(listener, () -> false);
  }

  /**
   * Generates until somebody wants it to stop.
   *
   * @param listener as above
   * @param cancelled asked after each token; where it says so, that token is the last
   */
  public Generation forEach(Consumer<? super GeneratedToken> listener, BooleanSupplier cancelled) {
    try (DecodingStrategy strategy = begin.get()) {
      return new Generator(strategy, model.tokenizer(), ends, model.config().decoder().vocab())
          .run(prompt, options, listener::accept, cancelled);
    }
  }

  /** Generates; the text without the prompt. */
  public String text() {
    return forEach(token -> {}).text();
  }

  /** Tokens of the prompt. */
  public int promptTokens() {
    return prompt.length;
  }
}
