package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.serve.engine.TextEvent;
import java.util.List;
import java.util.Optional;

/**
 * How an endpoint says what was generated: as events while it comes, or as one object when all
 * texts have ended. Used by one thread, for one answer.
 */
interface AnswerShape extends WholeShape {

  /** Events before the first token. */
  List<AnswerEvent> begin();

  /** Events for a token of a text; none is fine. */
  List<AnswerEvent> token(int text, GeneratedToken token);

  /**
   * Events for the end of a text.
   *
   * @param all the ends of all texts, in order, where this is the last one to end
   */
  List<AnswerEvent> end(TextEvent.End end, Optional<List<TextEvent.End>> all);

  /** Whether the stream ends with the word {@code [DONE]}. */
  boolean endsWithDone();
}
