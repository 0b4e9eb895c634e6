package dev.sortie.eetuning.serve.http;

import java.time.Duration;

/** A server that listens. */
public interface HttpServer extends AutoCloseable {

  /** The port that it listens on. */
  int port();

  /** Connections that are open. */
  int connections();

  /**
   * Takes no more connections, and ends each that is open with the answer it is waiting for.
   *
   * @param most time to wait for answers
   * @return whether all were sent
   */
  boolean drain(Duration most);

  /** Ends all connections, and waits for its threads. */
  @Override
  void close();
}
