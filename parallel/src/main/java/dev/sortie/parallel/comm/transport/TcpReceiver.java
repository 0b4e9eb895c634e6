package dev.sortie.parallel.comm.transport;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * The receiving side of a pair. A chunk that fits what the caller asks for is read straight into
 * its memory; another one waits in a buffer. Bytes are handed out after their checksum was right.
 */
final class TcpReceiver {
  private final Wire[] wires;
  private final ByteBuffer header = FrameLayout.header();
  private ByteBuffer buffer = ByteBuffer.allocateDirect(0);
  private long chunk;
  private boolean ended;

  // The chunk that is being read; length 0 while its header is not complete.
  private int length;
  private int checksum;
  private ByteBuffer payload;

  TcpReceiver(Wire[] wires) {
    this.wires = wires;
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
    Wire wire = wires[(int) (chunk % wires.length)];
    if (length == 0 && !begin(wire)) {
      return 0;
    }
    boolean direct = length <= into.byteSize() - at;
    if (payload == null) {
      payload = direct ? into.asSlice(at, length).asByteBuffer() : room(length);
    }
    if (wire.read(payload) < 0) {
      throw new EOFException("the stream ended within chunk " + chunk);
    }
    if (payload.hasRemaining()) {
      return 0;
    }
    return end(direct, into, at);
  }

  private boolean begin(Wire wire) throws IOException {
    if (wire.read(header) < 0) {
      if (header.position() > 0) {
        throw new EOFException("the stream ended within the header of chunk " + chunk);
      }
      ended = true;
    }
    if (header.hasRemaining()) {
      return false;
    }
    int announced = header.getInt(0);
    if (announced <= 0 || announced > FrameLayout.LONGEST || header.getLong(8) != chunk) {
      throw new DamagedException(
          "expected chunk %d of 1 to %d bytes, got number %d of %d bytes"
              .formatted(chunk, FrameLayout.LONGEST, header.getLong(8), announced));
    }
    length = announced;
    checksum = header.getInt(4);
    return true;
  }

  private long end(boolean direct, MemorySegment into, long at) throws DamagedException {
    payload.flip();
    int bytes = length;
    if (FrameLayout.checksum(payload.duplicate()) != checksum) {
      throw new DamagedException("chunk " + chunk + " of " + bytes + " bytes is damaged");
    }
    chunk++;
    header.clear();
    length = 0;
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
