package dev.sortie.eetuning.decode.chat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.family.GenerationConfig;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** From a prompt's text to ids that fit the model. */
public final class Prompt {
  private Prompt() {}

  /** The ids; an empty text becomes the token that begins a text. */
  public static int[] encode(LanguageModel m, String text, EncodeOptions options) {
    return orBos(m, m.tokenizer().encode(text, options));
  }

  /** The ids, or the one that begins a text where there are none. */
  public static int[] orBos(LanguageModel m, int[] ids) {
    if (ids.length > 0) {
      return ids;
    }
    return m.tokenizer().bosId().isPresent() ? new int[] {m.tokenizer().bosId().getAsInt()} : ids;
  }

  /**
   * The ids that end an answer: those that end a text, and those that the model's own settings for
   * generation name in addition, such as the end of a turn.
   */
  public static List<Integer> endsOfAnswer(LanguageModel m) {
    Set<Integer> ends = new LinkedHashSet<>(m.config().eos());
    m.tokenizer().eosId().ifPresent(ends::add);
    ends.addAll(GenerationConfig.eos(m.path(), m.config().decoder().vocab()));
    return List.copyOf(ends);
  }

  /** The {@linkplain #capacity(LanguageModel, int[], int, String) room} where an option asks it. */
  public static int capacity(LanguageModel m, int[] ids, int maxTokens) {
    return capacity(m, ids, maxTokens, "--max-tokens");
  }

  /**
   * Room for the prompt and what follows, at most the context; a prompt that leaves no room is
   * refused.
   *
   * @param setting what says how many tokens follow, for the refusal
   */
  public static int capacity(LanguageModel m, int[] ids, int maxTokens, String setting) {
    int context = m.config().decoder().context();
    if ((long) ids.length + maxTokens > context) {
      throw new InputException(
          "the prompt has "
              + ids.length
              + " tokens; with "
              + setting
              + " "
              + maxTokens
              + " that is more than the model's context of "
              + context);
    }
    return ids.length + maxTokens;
  }
}
