package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.serve.engine.TextEvent;
import dev.sortie.nn.json.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The object {@code sortie} of an answer: what the OpenAI API has no field for.
 *
 * @param strategy how deep tokens went
 * @param trace whether each token is told of
 * @param seed that the first choice was made with
 * @param ignored fields of the request that have no effect
 */
record SortieAnswer(String strategy, boolean trace, long seed, List<String> ignored) {
  private static final String FINAL = "final";

  /** Of a whole answer, or of the last event of a stream. */
  Map<String, Object> whole(List<TextEvent.End> ends, boolean withTrace) {
    Map<Integer, Integer> exits = new TreeMap<>();
    int deep = 0;
    for (TextEvent.End end : ends) {
      for (GeneratedToken token : end.generation().tokens()) {
        if (token.exit().isPresent()) {
          exits.merge(token.exit().getAsInt(), 1, Integer::sum);
        } else {
          deep++;
        }
      }
    }
    Map<String, Object> counts = new LinkedHashMap<>();
    exits.forEach((depth, count) -> counts.put(String.valueOf(depth), count));
    counts.put(FINAL, deep);
    Map<String, Object> json =
        Json.object(
            "strategy",
            strategy,
            "seed",
            seed,
            "exits",
            counts,
            "timing",
            ends.stream().map(SortieAnswer::timing).toList(),
            "ignored",
            ignored);
    if (trace && withTrace) {
      json.put(
          "trace",
          ends.stream()
              .flatMap(e -> e.generation().tokens().stream().map(t -> trace(e.text(), t)))
              .toList());
    }
    return json;
  }

  /** Times of the engine, without waiting. */
  private static Map<String, Object> timing(TextEvent.End end) {
    return Json.object(
        "choice",
        end.text(),
        "prefill_seconds",
        end.generation().prefillSeconds(),
        "decode_tokens_per_second",
        end.generation().decodeTokensPerSecond());
  }

  /** Of the event of one token, where each is told of. */
  Optional<Map<String, Object>> token(int choice, GeneratedToken token) {
    return trace
        ? Optional.of(Json.object("trace", List.of(trace(choice, token))))
        : Optional.empty();
  }

  private static Map<String, Object> trace(int choice, GeneratedToken t) {
    return Json.object(
        "choice",
        choice,
        "id",
        t.id(),
        "text",
        t.text(),
        "exit",
        t.exit().isPresent() ? t.exit().getAsInt() : FINAL,
        "confidence",
        t.confidence(),
        "source",
        t.draft().map(name -> "draft:" + name).orElse("model"));
  }
}
