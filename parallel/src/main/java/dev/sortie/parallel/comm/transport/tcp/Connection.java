package dev.sortie.parallel.comm.transport.tcp;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * A connection between two ranks, as it is or under TLS. One thread may read while another one
 * writes. Timeouts, addresses and the mode are the socket's own: streams are for one that blocks,
 * {@link #read} and {@link #write} for one that does not.
 */
interface Connection extends Closeable {
  /** What carries the bytes; only a connection reads and writes it. */
  SocketChannel socket();

  /** Blocks at most as long as the socket's timeout allows. */
  InputStream in() throws IOException;

  OutputStream out() throws IOException;

  /**
   * Takes what has come and fits.
   *
   * @return bytes, 0 if none has come, or -1 at the end
   */
  int read(ByteBuffer into) throws IOException;

  /** The same for several buffers, one after the other. */
  default long read(ByteBuffer[] into) throws IOException {
    long all = 0;
    for (ByteBuffer part : into) {
      int bytes = read(part);
      if (bytes < 0) {
        return all == 0 ? bytes : all;
      }
      all += bytes;
      if (part.hasRemaining()) {
        return all;
      }
    }
    return all;
  }

  /**
   * Sends what the system takes; offered again until all of it is on its way.
   *
   * @return whether the system has all bytes of the frame
   */
  boolean write(ByteBuffer[] frame) throws IOException;

  @Override
  default void close() throws IOException {
    socket().close();
  }
}
