package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;

/**
 * A request to the API.
 *
 * @param owner who asks: the name of the key, or the address
 * @param start when it had arrived, as {@link System#nanoTime} has it
 */
record ApiRequest(HttpExchange exchange, String owner, long start) {
  private static final int DEPTH = 64;
  private static final int VALUES = 1 << 20;

  /** The fields of its body, which must be a JSON object. */
  RequestFields fields() {
    byte[] body = exchange.body();
    int most = Math.max(1, body.length);
    try {
      String text = new String(Json.utf8("the request", body));
      return new RequestFields(
          Json.parse("the request", text, new JsonLimits(most, DEPTH, most, VALUES)));
    } catch (InputException e) {
      throw ApiError.invalid(null, e.getMessage());
    }
  }
}
