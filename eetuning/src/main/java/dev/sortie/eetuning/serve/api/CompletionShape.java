package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.serve.engine.TextEvent;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The answer of {@code /v1/completions}. */
final class CompletionShape implements AnswerShape {
  private final ServedModel served;
  private final SortieAnswer sortie;
  private final String id = AnswerIds.next("cmpl-");
  private final long created = System.currentTimeMillis() / 1000;
  private final List<CompletionText> texts;
  private final int choices;
  private final boolean usage;

  /**
   * @param texts what goes before each text, and its probabilities
   * @param choices texts for each prompt
   * @param usage whether a stream ends with an event of the usage
   */
  CompletionShape(
      ServedModel served,
      SortieAnswer sortie,
      List<CompletionText> texts,
      int choices,
      boolean usage) {
    this.served = served;
    this.sortie = sortie;
    this.texts = texts;
    this.choices = choices;
    this.usage = usage;
  }

  @Override
  public List<AnswerEvent> begin() {
    return List.of();
  }

  @Override
  public List<AnswerEvent> token(int text, GeneratedToken token) {
    List<AnswerEvent> events = new ArrayList<>(echo(text));
    CompletionText t = texts.get(text);
    if (!token.text().isEmpty() || t.asksLogprobs() || sortie.trace()) {
      AnswerEvent event = chunk(text, token.text(), t.next(List.of(token)), null);
      sortie.token(text, token).ifPresent(trace -> event.data().put("sortie", trace));
      events.add(event);
    }
    return events;
  }

  @Override
  public List<AnswerEvent> end(TextEvent.End end, Optional<List<TextEvent.End>> all) {
    List<AnswerEvent> events = new ArrayList<>(echo(end.text()));
    events.add(chunk(end.text(), "", null, end.generation().finish()));
    return StreamEnd.of(events, all, sortie, head(), usage, choices);
  }

  /** The prompt, before anything else of a text. */
  private List<AnswerEvent> echo(int text) {
    CompletionText t = texts.get(text);
    return t.isEchoDue() ? List.of(chunk(text, t.echo(), t.echoed(), null)) : List.of();
  }

  @Override
  public boolean endsWithDone() {
    return true;
  }

  @Override
  public Map<String, Object> whole(List<TextEvent.End> ends) {
    Map<String, Object> json = head();
    List<Map<String, Object>> all = new ArrayList<>();
    for (TextEvent.End end : ends) {
      CompletionText t = texts.get(end.text());
      String prompt = t.isEchoDue() ? t.echo() : "";
      all.add(
          choice(
              end.text(),
              prompt + end.generation().text(),
              t.all(end.generation().tokens()),
              end.generation().finish()));
    }
    json.put("choices", all);
    json.put("usage", Usage.of(ends, choices).json());
    json.put("sortie", sortie.whole(ends, true));
    return json;
  }

  private Map<String, Object> head() {
    return Json.object(
        "id", id, "object", "text_completion", "created", created, "model", served.name());
  }

  private AnswerEvent chunk(
      int text, String more, Map<String, Object> probabilities, String finish) {
    Map<String, Object> json = head();
    json.put("choices", List.of(choice(text, more, probabilities, finish)));
    if (usage) {
      json.put("usage", null);
    }
    return new AnswerEvent(json);
  }

  private static Map<String, Object> choice(
      int index, String text, Map<String, Object> probabilities, String finish) {
    return Json.object(
        "text", text, "index", index, "logprobs", probabilities, "finish_reason", finish);
  }
}
