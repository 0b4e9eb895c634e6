package dev.sortie.eetuning.cli;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;

/** From a prompt's text to ids that fit the model. */
final class Prompt {
  private Prompt() {}

  /** The ids; an empty text becomes the token that begins a text. */
  static int[] encode(LanguageModel m, String text, boolean parseSpecial) {
    int[] ids = m.tokenizer().encode(text, new EncodeOptions(true, parseSpecial));
    if (ids.length > 0) {
      return ids;
    }
    return m.tokenizer().bosId().isPresent() ? new int[] {m.tokenizer().bosId().getAsInt()} : ids;
  }

  /**
   * Room for the prompt and what follows, at most the context; a prompt that leaves no room is
   * refused.
   */
  static int capacity(LanguageModel m, int[] ids, int maxTokens) {
    int context = m.config().decoder().context();
    if (ids.length + maxTokens > context) {
      throw new InputException(
          "the prompt has "
              + ids.length
              + " tokens; with --max-tokens "
              + maxTokens
              + " that is more than the model's context of "
              + context);
    }
    return ids.length + maxTokens;
  }
}
