package dev.sortie.eetuning.serve.http;

/** What a server does with requests. */
public interface HttpHandler {

  /**
   * Answers a request, in a thread of its own that may wait. An answer that was not begun becomes
   * an internal error, one that was not ended breaks the connection.
   */
  void handle(HttpExchange exchange);

  /**
   * The body of an answer to what never became a request: one that is malformed, too large or too
   * slow.
   *
   * @return JSON
   */
  byte[] refusal(int status, String message);

  /**
   * What never became a request was answered.
   *
   * @param id that the answer has as {@code X-Request-Id}
   * @param peer the address of the client, without its port
   */
  void refused(String id, String peer, int status);
}
