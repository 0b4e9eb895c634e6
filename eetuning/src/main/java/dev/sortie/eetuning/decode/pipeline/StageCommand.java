package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.eetuning.decode.policy.ExitEvidence;
import java.util.List;

/** What a stage of a decoding pipeline does next. */
sealed interface StageCommand {

  /**
   * Reads a chunk of a text's prompt; the first one begins the text.
   *
   * @param from its first token
   * @param to after its last token
   * @param hidden rows that the stage before computed, {@code [to - from, C]}; empty at the first
   */
  record Prompt(int text, int from, int to, float[] hidden) implements StageCommand {}

  /**
   * Reads tokens of some texts, in the order in which they came.
   *
   * @param rows at most a batch of stable rows; of one text at most its last is wanted
   */
  record Tokens(List<Row> rows) implements StageCommand {}

  /** Makes up for some tokens that left early, since there is nothing better to do. */
  record Fill() implements StageCommand {}

  /** Forgets a text. */
  record Close(int text) implements StageCommand {}

  /** Ends. */
  record Stop() implements StageCommand {}

  /**
   * A token on its way through the stages.
   *
   * @param text whose
   * @param position where it stands
   * @param id the token
   * @param wanted whether what follows it is not known yet; else it only leaves keys and values
   * @param pending tokens of its text before it that left between layers in a row
   * @param said by the exit asked last, or null
   * @param hidden what the stage before computed, {@code [C]}; empty at the first
   */
  record Row(
      int text,
      int position,
      int id,
      boolean wanted,
      int pending,
      ExitEvidence.Said said,
      float[] hidden) {}
}
