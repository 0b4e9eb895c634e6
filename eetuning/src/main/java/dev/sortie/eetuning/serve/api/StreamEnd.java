package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.engine.TextEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The last events of a stream of chunks. */
final class StreamEnd {
  private StreamEnd() {}

  /** Whether a stream ends with its usage, as {@code stream_options} say; a whole answer has it. */
  static boolean hasUsage(RequestFields f, boolean streamed) {
    Optional<RequestFields> options = f.fields("stream_options");
    boolean usage = options.map(o -> o.flag("include_usage")).orElse(false);
    if (!streamed && options.filter(o -> o.has("include_usage")).isPresent()) {
      f.ignore("stream_options.include_usage");
    }
    return usage;
  }

  /**
   * The events for the end of a text. Behind the last text, the last of them has the object {@code
   * sortie}, and one more has the usage, if it was asked for: only then, since clients take it for
   * granted that other events have a choice.
   *
   * @param events at least one
   * @param all the ends of all texts, where this is the last one to end
   * @param head of another event
   */
  static List<AnswerEvent> of(
      List<AnswerEvent> events,
      Optional<List<TextEvent.End>> all,
      SortieAnswer sortie,
      Map<String, Object> head,
      boolean usage,
      int choices) {
    if (all.isEmpty()) {
      return events;
    }
    events.getLast().data().put("sortie", sortie.whole(all.get(), false));
    if (!usage) {
      return events;
    }
    List<AnswerEvent> more = new ArrayList<>(events);
    head.put("choices", List.of());
    head.put("usage", Usage.of(all.get(), choices).json());
    more.add(new AnswerEvent(head));
    return more;
  }
}
