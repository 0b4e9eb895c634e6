package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.engine.TextEvent;
import java.util.List;
import java.util.Map;

/** How an endpoint says what was read or generated, in one object. */
@FunctionalInterface
interface WholeShape {

  /**
   * The whole answer.
   *
   * @param ends of all texts, in order
   */
  Map<String, Object> whole(List<TextEvent.End> ends);
}
