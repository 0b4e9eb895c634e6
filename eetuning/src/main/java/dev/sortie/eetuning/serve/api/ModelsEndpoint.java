package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.json.Json;
import java.util.List;
import java.util.Map;

/** {@code /v1/models} and the same with a model's name. */
final class ModelsEndpoint {
  private ModelsEndpoint() {}

  static Map<String, Object> list(ServedModel served) {
    return Json.object("object", "list", "data", List.of(one(served)));
  }

  static Map<String, Object> one(ServedModel served) {
    return Json.object(
        "id",
        served.name(),
        "object",
        "model",
        "created",
        served.created(),
        "owned_by",
        "sortie",
        "sortie",
        Json.object(
            "context",
            served.engine().room(),
            "layers",
            served.model().config().decoder().layers(),
            "exits",
            served.exits().depths()));
  }
}
