package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.decode.DraftSource;
import dev.sortie.eetuning.decode.EarlyExitDraft;
import dev.sortie.eetuning.decode.PromptLookup;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Decoder;
import java.util.ArrayList;
import java.util.List;

/** The words of {@code --draft}. */
final class DraftSources {
  private DraftSources() {}

  /** The words, checked; the default for none. */
  static List<String> words(List<String> given, boolean hasExits) {
    for (int i = 0; i < given.size(); i++) {
      String word = given.get(i);
      if (!List.of(PromptLookup.NAME, EarlyExitDraft.NAME).contains(word)) {
        throw new InputException(
            "--draft '" + word + "' is unknown; take prompt-lookup, early-exit or both");
      }
      if (given.indexOf(word) < i) {
        throw new InputException("--draft has " + word + " twice");
      }
    }
    if (given.contains(EarlyExitDraft.NAME) && !hasExits) {
      throw new InputException("--draft early-exit needs --exits DIR");
    }
    if (given.isEmpty()) {
      return hasExits
          ? List.of(PromptLookup.NAME, EarlyExitDraft.NAME)
          : List.of(PromptLookup.NAME);
    }
    return List.copyOf(given);
  }

  /**
   * New sources for one sequence.
   *
   * @param threshold confidence below which an exit does not guess
   */
  static List<DraftSource> of(
      List<String> words, Decoder decoder, Exits exits, double threshold, int capacity) {
    List<DraftSource> sources = new ArrayList<>();
    for (String word : words) {
      if (word.equals(PromptLookup.NAME)) {
        sources.add(new PromptLookup(capacity));
      } else {
        if (exits.exits().isEmpty()) {
          throw new InputException("--draft early-exit: there is no exit in the folder of --exits");
        }
        sources.add(
            new EarlyExitDraft(
                exits.exits().getLast(), decoder.config().layers(), threshold, capacity));
      }
    }
    return sources;
  }
}
