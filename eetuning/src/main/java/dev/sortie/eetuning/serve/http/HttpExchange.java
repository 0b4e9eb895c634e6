package dev.sortie.eetuning.serve.http;

import java.util.Map;
import java.util.Optional;

/**
 * One request, which has arrived completely, and its answer: either {@link #respond}, or {@link
 * #begin}, {@link #write} and {@link #end}. Used by one thread, except for {@link #isGone}.
 */
public interface HttpExchange {

  /** A name of its own, which the answer has as {@code X-Request-Id}. */
  String id();

  /** The method, such as {@code POST}. */
  String method();

  /** The path without the query, decoded, such as {@code /v1/models}. */
  String path();

  /** A header of the request; of several with the name, the first. */
  Optional<String> header(String name);

  /** The request's body. */
  byte[] body();

  /** The address of the client, without its port. */
  String peer();

  /** Whether the client has left. */
  boolean isGone();

  /**
   * Runs an action as soon as the client leaves, at once if it has left. It is run in a thread of
   * the server and must be short. Nothing is run after the end of the answer.
   */
  void whenGone(Runnable action);

  /** Sends a whole answer. */
  void respond(int status, Map<String, String> headers, byte[] body);

  /** Begins an answer whose body comes piece by piece. */
  void begin(int status, Map<String, String> headers);

  /**
   * Sends a piece of the body. Waits while the client reads more slowly than pieces come.
   *
   * @return whether the client is still there; one that has not read for too long is no more
   */
  boolean write(byte[] piece);

  /** Ends an answer that was begun. */
  void end();

  /** The status that was sent; 0 before. */
  int status();
}
