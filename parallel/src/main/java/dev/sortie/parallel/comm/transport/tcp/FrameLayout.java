package dev.sortie.parallel.comm.transport.tcp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * A chunk of a byte stream on a socket, little-endian. Chunk 0 of a pair travels on its first
 * socket; the next chunk on the same one after a {@linkplain #isShort short} chunk, so that a call
 * and its data can be one packet, else on the next socket. Its number shows that none was lost or
 * swapped.
 *
 * <pre>
 *    0          4          8                    16
 *    +----------+----------+--------------------+-----------------+
 *    | length   | CRC32C   | number of chunk    | length bytes    |
 *    | i32      | i32      | i64                |                 |
 *    +----------+----------+--------------------+-----------------+
 * </pre>
 *
 * The checksum covers the payload.
 */
final class FrameLayout {
  static final int HEADER = 16;

  /** Longest payload: what a socket's buffers hold, several times. */
  static final int LONGEST = 512 << 10;

  /** Longest short payload: a message's header with what travels after it. */
  static final int SHORT = 2048;

  private FrameLayout() {}

  /** Whether the next chunk is on the same socket. */
  static boolean isShort(int length) {
    return length <= SHORT;
  }

  static ByteBuffer header() {
    return ByteBuffer.allocateDirect(HEADER).order(ByteOrder.LITTLE_ENDIAN);
  }

  static int checksum(ByteBuffer payload) {
    CRC32C crc = new CRC32C();
    crc.update(payload);
    return (int) crc.getValue();
  }
}
