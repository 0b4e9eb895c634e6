package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.tool.CallReader;
import dev.sortie.eetuning.decode.tool.ToolPiece;
import dev.sortie.eetuning.serve.engine.TextEvent;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The answer of {@code /v1/responses}: items, which are messages and calls of functions, and events
 * with names and sequence numbers.
 */
final class ResponseShape implements AnswerShape {
  private static final String COMPLETED = "completed";
  private static final String INCOMPLETE = "incomplete";
  private static final String RUNNING = "in_progress";

  private final ServedModel served;
  private final SortieAnswer sortie;
  private final Map<String, Object> echoed;
  private final boolean logprobs;
  private final ChatLogprobs probabilities;
  private final CallReader reader;
  private final String id = AnswerIds.next("resp_");
  private final long created = System.currentTimeMillis() / 1000;

  /** Items that have ended. */
  private final List<Map<String, Object>> output = new ArrayList<>();

  /** The message that is being written. */
  private Optional<ResponseMessage> message = Optional.empty();

  /** Probabilities of tokens whose text is held back, or part of a character. */
  private final List<Map<String, Object>> pending = new ArrayList<>();

  /** Whether the text ended within the arguments of a call. */
  private boolean cut;

  private int sequence;

  /**
   * @param echoed fields of the request that the answer repeats
   * @param reader finds calls
   * @param logprobs whether probabilities were asked for
   */
  ResponseShape(
      ServedModel served,
      SortieAnswer sortie,
      Map<String, Object> echoed,
      CallReader reader,
      boolean logprobs) {
    this.served = served;
    this.sortie = sortie;
    this.echoed = echoed;
    this.reader = reader;
    this.logprobs = logprobs;
    this.probabilities = new ChatLogprobs(served);
  }

  @Override
  public List<AnswerEvent> begin() {
    return List.of(
        event("response.created", "response", response(RUNNING)),
        event("response.in_progress", "response", response(RUNNING)));
  }

  @Override
  public List<AnswerEvent> token(int text, GeneratedToken token) {
    List<AnswerEvent> events = new ArrayList<>();
    read(token, events);
    sortie
        .token(text, token)
        .ifPresent(
            t -> {
              if (events.isEmpty()) {
                events.add(event("response.in_progress", "response", response(RUNNING)));
              }
              events.getLast().data().put("sortie", t);
            });
    return events;
  }

  private void read(GeneratedToken token, List<AnswerEvent> events) {
    if (logprobs) {
      pending.addAll(probabilities.entries(List.of(token)));
    }
    reader.add(token.text()).forEach(piece -> add(piece, events));
  }

  private void add(ToolPiece piece, List<AnswerEvent> events) {
    List<Map<String, Object>> entries = List.copyOf(pending);
    pending.clear();
    switch (piece) {
      case ToolPiece.Text t -> {
        if (message.isEmpty()) {
          message = Optional.of(new ResponseMessage());
          events.add(event("response.output_item.added", "item", message.get().item(RUNNING)));
          events.add(
              part("response.content_part.added", "part", ResponseMessage.part("", List.of())));
        }
        message.get().add(t.text(), entries);
        AnswerEvent delta = part("response.output_text.delta", "delta", t.text());
        delta.data().put("logprobs", entries);
        events.add(delta);
      }
      case ToolPiece.Call c -> {
        endMessage(COMPLETED, events);
        cut |= c.isCut();
        Map<String, Object> item = call(c);
        Map<String, Object> begun = new LinkedHashMap<>(item);
        begun.put("arguments", "");
        begun.put("status", RUNNING);
        events.add(event("response.output_item.added", "item", begun));
        for (String name : List.of("delta", "done")) {
          AnswerEvent e =
              event(
                  "response.function_call_arguments." + name,
                  name.equals("delta") ? "delta" : "arguments",
                  c.arguments());
          e.data().put("item_id", item.get("id"));
          events.add(e);
        }
        events.add(event("response.output_item.done", "item", item));
        output.add(item);
      }
    }
  }

  private void endMessage(String status, List<AnswerEvent> events) {
    if (message.isEmpty()) {
      return;
    }
    ResponseMessage m = message.get();
    AnswerEvent done = part("response.output_text.done", "text", m.text());
    done.data().put("logprobs", m.logprobs());
    events.add(done);
    events.add(
        part("response.content_part.done", "part", ResponseMessage.part(m.text(), m.logprobs())));
    events.add(event("response.output_item.done", "item", m.item(status)));
    output.add(m.item(status));
    message = Optional.empty();
  }

  private static Map<String, Object> call(ToolPiece.Call c) {
    return Json.object(
        "id",
        AnswerIds.next("fc_"),
        "type",
        "function_call",
        "status",
        c.isCut() ? INCOMPLETE : COMPLETED,
        "call_id",
        c.id(),
        "name",
        c.name(),
        "arguments",
        c.arguments());
  }

  @Override
  public List<AnswerEvent> end(TextEvent.End end, Optional<List<TextEvent.End>> all) {
    List<AnswerEvent> events = new ArrayList<>();
    String status = close(end.generation(), events);
    Map<String, Object> response = response(status);
    complete(response, end);
    response.put("sortie", sortie.whole(List.of(end), false));
    events.add(event("response." + status, "response", response));
    return events;
  }

  /**
   * Ends all items; a text without one is an empty message. Tokens without text, such as those of a
   * stop text, are the message's too.
   *
   * @return the status of the response
   */
  private String close(Generation g, List<AnswerEvent> events) {
    reader.finish().forEach(piece -> add(piece, events));
    if (message.isPresent() ? !pending.isEmpty() : output.isEmpty()) {
      add(new ToolPiece.Text(""), events);
    }
    String status = g.finish().equals("stop") && !cut ? COMPLETED : INCOMPLETE;
    endMessage(status, events);
    return status;
  }

  @Override
  public boolean endsWithDone() {
    return false;
  }

  @Override
  public Map<String, Object> whole(List<TextEvent.End> ends) {
    TextEvent.End end = ends.getFirst();
    List<AnswerEvent> unused = new ArrayList<>();
    end.generation().tokens().forEach(token -> read(token, unused));
    String status = close(end.generation(), unused);
    Map<String, Object> response = response(status);
    complete(response, end);
    response.put("sortie", sortie.whole(ends, true));
    return response;
  }

  private void complete(Map<String, Object> response, TextEvent.End end) {
    if (response.get("status").equals(INCOMPLETE)) {
      boolean stopped = end.generation().finish().equals("stop"); // by a text, within a call
      response.put(
          "incomplete_details", Json.object("reason", stopped ? "stop" : "max_output_tokens"));
    }
    response.put("output", List.copyOf(output));
    Usage usage = Usage.of(List.of(end), 1);
    response.put(
        "usage",
        Json.object(
            "input_tokens",
            usage.prompt(),
            "input_tokens_details",
            Json.object("cached_tokens", usage.cached()),
            "output_tokens",
            usage.completion(),
            "output_tokens_details",
            Json.object("reasoning_tokens", 0),
            "total_tokens",
            usage.prompt() + usage.completion()));
  }

  private Map<String, Object> response(String status) {
    Map<String, Object> json =
        Json.object(
            "id",
            id,
            "object",
            "response",
            "created_at",
            created,
            "status",
            status,
            "error",
            null,
            "incomplete_details",
            null,
            "model",
            served.name(),
            "output",
            List.of(),
            "usage",
            null);
    json.putAll(echoed);
    return json;
  }

  /** An event of the message that is being written. */
  private AnswerEvent part(String type, String name, Object value) {
    AnswerEvent e = event(type, name, value);
    e.data().put("item_id", message.orElseThrow().id());
    e.data().put("content_index", 0);
    return e;
  }

  private AnswerEvent event(String type, String name, Object value) {
    Map<String, Object> data = Json.object("type", type, "sequence_number", sequence++);
    if (!name.equals("response")) {
      data.put("output_index", output.size());
    }
    data.put(name, value);
    return new AnswerEvent(Optional.of(type), data);
  }
}
