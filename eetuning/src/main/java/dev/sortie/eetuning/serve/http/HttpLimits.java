package dev.sortie.eetuning.serve.http;

import dev.sortie.nn.UsageException;

/**
 * What one client may cost before it has asked for anything.
 *
 * @param connections open at once; one more is closed
 * @param headerBytes of the request line, and of all headers
 * @param bodyBytes of a request
 * @param requestSeconds from the first byte of a request to its last
 * @param idleSeconds of a connection without a request
 * @param writeSeconds in which a client must read something of its answer
 */
public record HttpLimits(
    int connections,
    int headerBytes,
    int bodyBytes,
    int requestSeconds,
    int idleSeconds,
    int writeSeconds) {
  /** 1,024 connections, 16 KiB of headers, 8 MiB of body, 30 s a request, idle for 75 s. */
  public static final HttpLimits DEFAULT = new HttpLimits(1024, 16 << 10, 8 << 20, 30, 75, 30);

  public HttpLimits {
    require(connections, 1, 1 << 20, "--max-connections %d");
    require(headerBytes, 1 << 10, 1 << 20, "the limit of %d bytes of headers");
    require(bodyBytes, 1 << 10, 1 << 30, "--max-body %d");
    require(requestSeconds, 1, 3600, "the limit of %d seconds for a request to arrive");
    require(idleSeconds, 1, 86_400, "the limit of %d seconds of an idle connection");
    require(writeSeconds, 1, 3600, "the limit of %d seconds for a client to read");
  }

  private static void require(int value, int least, int most, String limit) {
    if (value < least || value > most) {
      throw new UsageException(
          "%s is outside %d to %d".formatted(limit.formatted(value), least, most));
    }
  }
}
