package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Probabilities of tokens as the endpoints for conversations have them. */
final class ChatLogprobs {
  private final ServedModel served;
  private final TokenText words;

  ChatLogprobs(ServedModel served) {
    this.served = served;
    this.words = new TokenText(served.model().tokenizer());
  }

  /** An entry for each token but the one that ends a text, which is no part of it. */
  List<Map<String, Object>> entries(List<GeneratedToken> tokens) {
    List<Map<String, Object>> entries = new ArrayList<>();
    for (GeneratedToken t : tokens) {
      if (!served.engine().isEnd(t.id())) {
        t.logprobs().ifPresent(p -> entries.add(entry(p)));
      }
    }
    return entries;
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
