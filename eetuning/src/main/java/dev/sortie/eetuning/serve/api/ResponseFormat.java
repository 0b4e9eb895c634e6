package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.json.JsonObject;
import java.util.Optional;

/** The form that an answer is asked to have. */
final class ResponseFormat {
  private ResponseFormat() {}

  /** Refuses any form but free text, by the name of its type. */
  static void requireText(Optional<JsonObject> format, String param) {
    format.ifPresent(
        o -> {
          if (!(o.fields().get("type") instanceof String type)) {
            throw ApiError.invalid(param + ".type", param + ".type is missing; give text");
          }
          if (!type.equals("text")) {
            throw ApiError.unsupported(
                param + ".type",
                param + ".type '" + type + "' is not supported by this server; take text");
          }
        });
  }
}
