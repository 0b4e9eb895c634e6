package dev.sortie.parallel.comm.transport.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The receiving side of a pair. A chunk that fits what the caller asks for is read straight into
 * its memory; another one waits in a buffer. What follows a chunk is read along with it, as far as
 * there is room for short ones. Bytes are handed out after their checksum was right.
 */
final class TcpReceiver {
  private static final int AHEAD = 2 * (FrameLayout.HEADER + FrameLayout.SHORT);

  private final Connection[] connections;

  /** By socket: bytes that have come and belong to no chunk yet, from position to limit. */
  private final ByteBuffer[] ahead;

  private ByteBuffer buffer = ByteBuffer.allocateDirect(0);
  private int socket;
  private long chunk;
  private boolean ended;

  // The chunk that is being read; length 0 while its header is not complete.
  private int length;
  private int checksum;
  private ByteBuffer payload;

  TcpReceiver(Connection[] connections) {
    this.connections = connections;
    this.ahead = new ByteBuffer[connections.length];
    for (int i = 0; i < connections.length; i++) {
      ahead[i] = ByteBuffer.allocateDirect(AHEAD).order(ByteOrder.LITTLE_ENDIAN).flip();
    }
  }

  /** Whether the peer has closed its side and all that it sent was read. */
  boolean hasEnded() {
    return ended;
  }

  /**
   * @throws DamagedException if the bytes are no chunk of this stream
   */
  long receive(MemorySegment into, long at) throws IOException {
    if (buffer.hasRemaining()) {
      return handOut(into, at);
    }
    if (length == 0 && !begin()) {
      return 0;
    }
    boolean direct = length <= into.byteSize() - at;
    if (payload == null) {
      payload = direct ? into.asSlice(at, length).asByteBuffer() : room(length);
      take(ahead[socket]);
    }
    if (payload.hasRemaining() && !readPayload()) {
      return 0;
    }
    return end(direct, into, at);
  }

  private boolean begin() throws IOException {
    ByteBuffer header = ahead[socket];
    if (header.remaining() < FrameLayout.HEADER) {
      header.compact();
      int bytes = connections[socket].read(header);
      header.flip();
      if (bytes < 0) {
        if (header.hasRemaining()) {
          throw new EOFException("the stream ended within the header of chunk " + chunk);
        }
        ended = true;
      }
      if (header.remaining() < FrameLayout.HEADER) {
        return false;
      }
    }
    int announced = header.getInt();
    checksum = header.getInt();
    long number = header.getLong();
    if (announced <= 0 || announced > FrameLayout.LONGEST || number != chunk) {
      throw new DamagedException(
          "expected chunk %d of 1 to %d bytes, got number %d of %d bytes"
              .formatted(chunk, FrameLayout.LONGEST, number, announced));
    }
    length = announced;
    return true;
  }

  /** Moves what has come of the payload already. */
  private void take(ByteBuffer from) {
    int bytes = Math.min(from.remaining(), payload.remaining());
    payload.put(from.slice(from.position(), bytes));
    from.position(from.position() + bytes);
  }

  /** Whether all of the payload is there. */
  private boolean readPayload() throws IOException {
    ByteBuffer behind = ahead[socket].clear(); // all of it was taken, and there was not enough
    long bytes = connections[socket].read(new ByteBuffer[] {payload, behind});
    behind.flip();
    if (bytes < 0) {
      throw new EOFException("the stream ended within chunk " + chunk);
    }
    return !payload.hasRemaining();
  }

  private long end(boolean direct, MemorySegment into, long at) throws DamagedException {
    payload.flip();
    int bytes = length;
    if (FrameLayout.checksum(payload.duplicate()) != checksum) {
      throw new DamagedException("chunk " + chunk + " of " + bytes + " bytes is damaged");
    }
    chunk++;
    length = 0;
    if (!FrameLayout.isShort(bytes)) {
      socket = (socket + 1) % connections.length;
    }
    if (!direct) {
      buffer = payload;
    }
    payload = null;
    return direct ? bytes : handOut(into, at);
  }

  private ByteBuffer room(int bytes) {
    buffer =
        buffer.capacity() < bytes ? ByteBuffer.allocateDirect(FrameLayout.LONGEST) : buffer.clear();
    ByteBuffer room = buffer.limit(bytes).duplicate();
    buffer.position(bytes); // nothing to hand out yet
    return room;
  }

  private long handOut(MemorySegment into, long at) {
    int bytes = (int) Math.min(buffer.remaining(), into.byteSize() - at);
    MemorySegment.copy(MemorySegment.ofBuffer(buffer), 0, into, at, bytes);
    buffer.position(buffer.position() + bytes);
    return bytes;
  }

  /** Bytes that no rank of this job can have sent. */
  static final class DamagedException extends IOException {
    private static final long serialVersionUID = 1L;

    DamagedException(String message) {
      super(message);
    }
  }
}
