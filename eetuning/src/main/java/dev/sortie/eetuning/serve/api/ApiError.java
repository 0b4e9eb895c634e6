package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.json.Json;
import java.util.Map;

/** An answer that says why there is none, in the shape of the OpenAI API. */
public final class ApiError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final String INVALID = "invalid_request_error";

  private final int status;
  private final String type;
  private final String code;
  private final String param;
  private final transient Map<String, String> headers;

  private ApiError(
      int status,
      String type,
      String code,
      String param,
      Map<String, String> headers,
      String message) {
    super(message, null, false, false);
    this.status = status;
    this.type = type;
    this.code = code;
    this.param = param;
    this.headers = headers;
  }

  /** A field that is wrong; {@code param} names it. */
  static ApiError invalid(String param, String message) {
    return new ApiError(400, INVALID, "invalid_value", param, Map.of(), message);
  }

  /** An integer that is too small or too large, in the words and codes of the OpenAI API. */
  static ApiError outOfBounds(String param, long found, int min, int max) {
    boolean below = found < min;
    return new ApiError(
        400,
        INVALID,
        below ? "integer_below_min_value" : "integer_above_max_value",
        param,
        Map.of(),
        "Invalid '%s': integer %s value. Expected a value %s %d, but got %d instead."
            .formatted(
                param,
                below ? "below minimum" : "above maximum",
                below ? ">=" : "<=",
                below ? min : max,
                found));
  }

  /** A field that is known and cannot be honoured. */
  static ApiError unsupported(String param, String message) {
    return new ApiError(400, INVALID, "unsupported_parameter", param, Map.of(), message);
  }

  /** A text that is too long, or a request that can never be answered for another reason. */
  static ApiError tooLong(String param, String message) {
    return new ApiError(400, INVALID, "context_length_exceeded", param, Map.of(), message);
  }

  static ApiError noModel(String name, String served) {
    return new ApiError(
        404,
        INVALID,
        "model_not_found",
        "model",
        Map.of(),
        "the model '" + name + "' is not served here; take " + served);
  }

  static ApiError unauthorized() {
    return new ApiError(
        401,
        "authentication_error",
        "invalid_api_key",
        null,
        Map.of("WWW-Authenticate", "Bearer"),
        "an API key is needed: send Authorization: Bearer KEY, or X-Api-Key: KEY");
  }

  /** Too much to do at the moment. */
  static ApiError busy(int retryAfter, String message) {
    return new ApiError(
        429, "rate_limit_error", "rate_limit_exceeded", null, after(retryAfter), message);
  }

  /** Winding up, not ready or broken. */
  static ApiError unavailable(int retryAfter, String message) {
    return new ApiError(503, "server_error", "unavailable", null, after(retryAfter), message);
  }

  static ApiError timeout(String message) {
    return new ApiError(504, "server_error", "timeout", null, Map.of(), message);
  }

  static ApiError internal() {
    return new ApiError(500, "server_error", "internal_error", null, Map.of(), "internal error");
  }

  /**
   * A method that a path does not take.
   *
   * @param allowed those that it takes, with commas between
   */
  static ApiError wrongMethod(String path, String method, String allowed) {
    return new ApiError(
        405,
        INVALID,
        "method_not_allowed",
        null,
        Map.of("Allow", allowed),
        path + " takes " + allowed + ", not " + method);
  }

  private static Map<String, String> after(int seconds) {
    return seconds == 0 ? Map.of() : Map.of("Retry-After", String.valueOf(seconds));
  }

  /** Any other status. */
  static ApiError of(int status, String code, String message) {
    return new ApiError(
        status, status < 500 ? INVALID : "server_error", code, null, Map.of(), message);
  }

  int status() {
    return status;
  }

  /** Headers of the answer that belong to the error. */
  Map<String, String> headers() {
    return headers;
  }

  /** The body of the answer. */
  Map<String, Object> json() {
    return Json.object(
        "error", Json.object("message", getMessage(), "type", type, "param", param, "code", code));
  }
}
