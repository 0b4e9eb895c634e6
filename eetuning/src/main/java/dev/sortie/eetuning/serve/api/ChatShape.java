package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.tool.CallReader;
import dev.sortie.eetuning.serve.engine.TextEvent;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The answer of {@code /v1/chat/completions}. */
final class ChatShape implements AnswerShape {
  private final ServedModel served;
  private final ChatLogprobs probabilities;
  private final SortieAnswer sortie;
  private final String id = AnswerIds.next("chatcmpl-");
  private final long created = System.currentTimeMillis() / 1000;
  private final int choices;
  private final List<ChatAnswer> answers;
  private final boolean logprobs;
  private final boolean usage;

  /**
   * @param reader makes who finds calls in a choice
   * @param logprobs whether probabilities were asked for
   * @param usage whether a stream ends with an event of the usage
   */
  ChatShape(
      ServedModel served,
      SortieAnswer sortie,
      int choices,
      Supplier<CallReader> reader,
      boolean logprobs,
      boolean usage) {
    this.served = served;
    this.probabilities = new ChatLogprobs(served);
    this.sortie = sortie;
    this.choices = choices;
    this.answers = new ArrayList<>();
    for (int i = 0; i < choices; i++) {
      answers.add(new ChatAnswer(reader.get()));
    }
    this.logprobs = logprobs;
    this.usage = usage;
  }

  @Override
  public List<AnswerEvent> begin() {
    List<AnswerEvent> events = new ArrayList<>();
    for (int i = 0; i < choices; i++) {
      events.add(chunk(i, Json.object("role", "assistant", "content", ""), null, null));
    }
    return events;
  }

  @Override
  public List<AnswerEvent> token(int text, GeneratedToken token) {
    List<Map<String, Object>> deltas = answers.get(text).add(token.text());
    if (deltas.isEmpty() && (logprobs || sortie.trace())) {
      deltas = List.of(Json.object("content", "")); // a part of a character, or held back
    }
    List<AnswerEvent> events = new ArrayList<>();
    for (Map<String, Object> delta : deltas) {
      boolean last = events.size() + 1 == deltas.size();
      AnswerEvent event = chunk(text, delta, last ? logprobs(List.of(token)) : null, null);
      if (last) {
        sortie.token(text, token).ifPresent(t -> event.data().put("sortie", t));
      }
      events.add(event);
    }
    return events;
  }

  @Override
  public List<AnswerEvent> end(TextEvent.End end, Optional<List<TextEvent.End>> all) {
    ChatAnswer answer = answers.get(end.text());
    List<AnswerEvent> events = new ArrayList<>();
    answer.finish().forEach(delta -> events.add(chunk(end.text(), delta, null, null)));
    events.add(chunk(end.text(), Json.object(), null, answer.reason(end.generation().finish())));
    return StreamEnd.of(events, all, sortie, head("chat.completion.chunk"), usage, choices);
  }

  @Override
  public boolean endsWithDone() {
    return true;
  }

  @Override
  public Map<String, Object> whole(List<TextEvent.End> ends) {
    Map<String, Object> json = head("chat.completion");
    List<Map<String, Object>> all = new ArrayList<>();
    for (TextEvent.End e : ends) {
      ChatAnswer answer = answers.get(e.text());
      all.add(
          choice(
              e.text(),
              "message",
              answer.message(e.generation().text()),
              logprobs(e.generation().tokens()),
              answer.reason(e.generation().finish())));
    }
    json.put("choices", all);
    json.put("usage", Usage.of(ends, choices).json());
    json.put("sortie", sortie.whole(ends, true));
    return json;
  }

  private Map<String, Object> head(String object) {
    return Json.object("id", id, "object", object, "created", created, "model", served.name());
  }

  private AnswerEvent chunk(
      int choice, Map<String, Object> delta, Map<String, Object> likely, String finish) {
    Map<String, Object> json = head("chat.completion.chunk");
    json.put("choices", List.of(choice(choice, "delta", delta, likely, finish)));
    if (usage) {
      json.put("usage", null);
    }
    return new AnswerEvent(json);
  }

  private static Map<String, Object> choice(
      int index,
      String name,
      Map<String, Object> content,
      Map<String, Object> likely,
      String finish) {
    return Json.object("index", index, name, content, "logprobs", likely, "finish_reason", finish);
  }

  /** Null where nobody asked. */
  private Map<String, Object> logprobs(List<GeneratedToken> tokens) {
    return logprobs ? Json.object("content", probabilities.entries(tokens), "refusal", null) : null;
  }
}
