package dev.sortie.parallel.comm.transport.tcp;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;

/**
 * Reads again after a socket's timeout, so many times. A timeout tells how long nothing came, also
 * where this process itself was stopped for that time; several short ones in a row do not pass
 * while it is.
 */
final class RetryingInputStream extends FilterInputStream {
  private final int turns;

  /**
   * @param in may time out, and then be read again
   * @param turns timeouts in a row after which the last one is thrown
   */
  RetryingInputStream(InputStream in, int turns) {
    super(in);
    this.turns = turns;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int from, int count) throws IOException {
    for (int turn = 1; ; turn++) {
      try {
        return in.read(into, from, count);
      } catch (SocketTimeoutException e) {
        if (turn == turns) {
          throw e;
        }
      }
    }
  }
}
