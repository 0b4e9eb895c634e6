package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.decode.DraftSource;
import dev.sortie.eetuning.decode.EarlyExitDraft;
import dev.sortie.eetuning.decode.LookaheadDraft;
import dev.sortie.eetuning.decode.PromptLookup;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Lookahead;
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
      if (!List.of(PromptLookup.NAME, EarlyExitDraft.NAME, LookaheadDraft.NAME).contains(word)) {
        throw new InputException(
            "--draft '"
                + word
                + "' is unknown; take prompt-lookup, early-exit, lookahead or several");
      }
      if (given.indexOf(word) < i) {
        throw new InputException("--draft has " + word + " twice");
      }
    }
    for (String word : List.of(EarlyExitDraft.NAME, LookaheadDraft.NAME)) {
      if (given.contains(word) && !hasExits) {
        throw new InputException("--draft " + word + " needs --exits DIR");
      }
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
      } else if (word.equals(LookaheadDraft.NAME)) {
        Lookahead exit =
            exits
                .lookahead()
                .orElseThrow(
                    () ->
                        new InputException(
                            "--draft lookahead: there is no lookahead exit in the folder of --exits; make one with add-exits --arch lookahead"));
        sources.add(new LookaheadDraft(exit, decoder, threshold, capacity));
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
