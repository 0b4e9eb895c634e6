package dev.sortie.parallel.comm.transport;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * A chunk of a byte stream on a socket, little-endian. Chunk k of a pair travels on socket k mod S;
 * its number shows that none was lost or swapped.
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

  private FrameLayout() {}

  static ByteBuffer header() {
    return ByteBuffer.allocateDirect(HEADER).order(ByteOrder.LITTLE_ENDIAN);
  }

  static int checksum(ByteBuffer payload) {
    CRC32C crc = new CRC32C();
    crc.update(payload);
    return (int) crc.getValue();
  }
}
