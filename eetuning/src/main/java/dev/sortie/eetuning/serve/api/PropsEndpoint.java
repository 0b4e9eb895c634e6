package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.engine.TextEngine;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.model.DecoderConfig;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** {@code /props}: what this server is. */
final class PropsEndpoint {
  private PropsEndpoint() {}

  static Map<String, Object> of(ServedModel served, Collection<String> paths) {
    TextEngine engine = served.engine();
    DecoderConfig c = served.model().config().decoder();
    return Json.object(
        "model",
        served.name(),
        "total_slots",
        engine.settings().parallel(),
        "queue",
        engine.settings().queue(),
        "cache_tokens",
        engine.settings().cacheTokens(),
        "max_tokens",
        served.maxTokens(),
        "context",
        engine.room(),
        "vocab",
        c.vocab(),
        "layers",
        c.layers(),
        "hidden",
        c.hidden(),
        "parameters",
        served.model().decoder().parameterCount(),
        "matrix_type",
        served.model().matrixType().name(),
        "exits",
        served.exits().depths(),
        "strategy",
        served.policy().never() ? "full" : "early-exit",
        "has_chat_template",
        served.template().isPresent(),
        "endpoints",
        List.copyOf(paths));
  }
}
