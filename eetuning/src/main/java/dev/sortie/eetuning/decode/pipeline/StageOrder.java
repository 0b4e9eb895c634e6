package dev.sortie.eetuning.decode.pipeline;

import java.util.List;

/** What a stage of a decoding pipeline does next. */
sealed interface StageOrder {

  /**
   * Reads a piece of a text's prompt; the first one begins the text.
   *
   * @param from its first token
   * @param to behind its last token
   * @param hidden rows that the stage before computed, {@code [to - from, C]}; empty at the first
   */
  record Prompt(int text, int from, int to, float[] hidden) implements StageOrder {}

  /**
   * Reads tokens of some texts, in the order in which they came.
   *
   * @param rows at most a batch of stable rows; of one text at most its last is wanted
   */
  record Tokens(List<StageRow> rows) implements StageOrder {}

  /** Makes up for some tokens that left early, since there is nothing better to do. */
  record Fill() implements StageOrder {}

  /** Forgets a text. */
  record Close(int text) implements StageOrder {}

  /** Ends. */
  record Stop() implements StageOrder {}
}
