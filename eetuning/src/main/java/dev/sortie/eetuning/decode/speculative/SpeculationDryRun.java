package dev.sortie.eetuning.decode.speculative;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/** Drafts on a text that is known already: in which passes it would be read. */
public final class SpeculationDryRun {
  private SpeculationDryRun() {}

  /**
   * Passes with drafts by prompt look-up, were each as long as is said.
   *
   * @param text the whole text
   * @param given its first tokens, which are read as a prompt
   * @param seconds of a pass over so many tokens
   * @return for each token after them but the last, which no pass reads: tokens in the pass that
   *     begins there, 0 where the pass before has read it
   */
  public static int[] rows(int[] text, int given, IntToDoubleFunction seconds) {
    List<DraftSource> sources = List.of(new PromptLookup(text.length));
    int[] rows = new int[text.length - 1 - given];
    try (VerificationRounds rounds =
        new VerificationRounds(
            sources, DraftStates.NONE, AdaptiveDraftLength.of(sources), () -> 0, text.length)) {
      rounds.prompt(0, Arrays.copyOf(text, given));
      for (int i = 0; i < rows.length; i++) {
        int position = given + i;
        if (!rounds.isRight(position, text[position])) {
          rows[i] = rounds.begin(position, text[position], rounds.most()).length;
          rounds.took(seconds.applyAsDouble(rows[i]));
        }
      }
    }
    return rows;
  }
}
