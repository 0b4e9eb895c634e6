package dev.sortie.eetuning.serve.api;

import java.util.Map;
import java.util.Optional;

/**
 * One event of a streamed answer.
 *
 * @param name of the event, where the endpoint names events
 * @param data its JSON
 */
record AnswerEvent(Optional<String> name, Map<String, Object> data) {
  AnswerEvent(Map<String, Object> data) {
    this(Optional.empty(), data);
  }
}
