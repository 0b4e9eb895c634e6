package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import dev.sortie.eetuning.serve.engine.TextEvent;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The answer of {@code /v1/chat/completions}. */
final class ChatShape implements AnswerShape {
  private final ServedModel served;
  private final TokenText words;
  private final SortieAnswer sortie;
  private final String id = AnswerIds.next("chatcmpl-");
  private final long created = System.currentTimeMillis() / 1000;
  private final int choices;
  private final boolean logprobs;
  private final boolean usage;

  /**
   * @param logprobs whether probabilities were asked for
   * @param usage whether a stream ends with an event of the usage
   */
  ChatShape(ServedModel served, SortieAnswer sortie, int choices, boolean logprobs, boolean usage) {
    this.served = served;
    this.words = new TokenText(served.model().tokenizer());
    this.sortie = sortie;
    this.choices = choices;
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
    if (token.text().isEmpty() && !logprobs && !sortie.trace()) {
      return List.of(); // a part of a character, or what may be a stop string
    }
    AnswerEvent event =
        chunk(text, Json.object("content", token.text()), logprobs(List.of(token)), null);
    sortie.token(text, token).ifPresent(t -> event.data().put("sortie", t));
    return List.of(event);
  }

  @Override
  public List<AnswerEvent> end(TextEvent.End end, Optional<List<TextEvent.End>> all) {
    AnswerEvent last = chunk(end.text(), Json.object(), null, end.generation().finish());
    return StreamEnd.of(List.of(last), all, sortie, head("chat.completion.chunk"), usage, choices);
  }

  @Override
  public boolean endsWithDone() {
    return true;
  }

  @Override
  public Map<String, Object> whole(List<TextEvent.End> ends) {
    Map<String, Object> json = head("chat.completion");
    json.put(
        "choices",
        ends.stream()
            .map(
                e ->
                    choice(
                        e.text(),
                        "message",
                        Json.object(
                            "role", "assistant", "content", e.generation().text(), "refusal", null),
                        logprobs(e.generation().tokens()),
                        e.generation().finish()))
            .toList());
    json.put("usage", Usage.of(ends, choices).json());
    json.put("sortie", sortie.whole(ends, true));
    return json;
  }

  private Map<String, Object> head(String object) {
    return Json.object("id", id, "object", object, "created", created, "model", served.name());
  }

  private AnswerEvent chunk(
      int choice, Map<String, Object> delta, Map<String, Object> probabilities, String finish) {
    Map<String, Object> json = head("chat.completion.chunk");
    json.put("choices", List.of(choice(choice, "delta", delta, probabilities, finish)));
    if (usage) {
      json.put("usage", null);
    }
    return new AnswerEvent(json);
  }

  private static Map<String, Object> choice(
      int index,
      String name,
      Map<String, Object> content,
      Map<String, Object> probabilities,
      String finish) {
    return Json.object(
        "index", index, name, content, "logprobs", probabilities, "finish_reason", finish);
  }

  /** Null where nobody asked. The token that ends a text is no part of it. */
  private Map<String, Object> logprobs(List<GeneratedToken> tokens) {
    if (!logprobs) {
      return null;
    }
    List<Map<String, Object>> content = new ArrayList<>();
    for (GeneratedToken t : tokens) {
      if (!served.engine().isEnd(t.id())) {
        t.logprobs().ifPresent(p -> content.add(entry(p)));
      }
    }
    return Json.object("content", content, "refusal", null);
  }

  private Map<String, Object> entry(TokenLogprobs p) {
    Map<String, Object> json = new LinkedHashMap<>(entry(p.token()));
    json.put("top_logprobs", p.top().stream().map(this::entry).toList());
    return json;
  }

  private Map<String, Object> entry(TokenLogprobs.Entry e) {
    return Json.object(
        "token",
        words.text(e.id()),
        "logprob",
        Logprob.finite(e.logprob()),
        "bytes",
        words.bytes(e.id()));
  }
}
