package dev.sortie.parallel.comm.transport.tcp;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The sending side of a pair: cuts memory into chunks, which several sockets carry at once straight
 * from the caller's memory. Bytes count as sent once the system has taken their chunk and all
 * chunks before it; until then the caller offers the same memory again. A short chunk that others
 * follow is copied and held, and leaves with the next one: a packet costs as much as copying 16
 * KiB.
 */
final class TcpSender {
  private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0);

  private final Connection[] connections;

  /** By socket: held chunks or nothing, header, payload. */
  private final ByteBuffer[][] frames;

  private final boolean[] busy;

  /** By chunk, as many as there are sockets: which one carries it. */
  private final int[] sockets;

  private final ByteBuffer held =
      ByteBuffer.allocateDirect(FrameLayout.HEADER + FrameLayout.SHORT)
          .order(ByteOrder.LITTLE_ENDIAN);
  private int next;
  private long begun;
  private long done;
  private long ahead;

  TcpSender(Connection[] connections) {
    this.connections = connections;
    this.busy = new boolean[connections.length];
    this.sockets = new int[connections.length];
    this.frames = new ByteBuffer[connections.length][3];
    for (ByteBuffer[] frame : frames) {
      frame[1] = FrameLayout.header();
    }
  }

  /**
   * As {@link #send}; the bytes may be held until the next call.
   *
   * @param from that was not offered before
   */
  long hold(MemorySegment from) throws IOException {
    int bytes = (int) from.byteSize();
    if (!FrameLayout.isShort(bytes) || held.position() > 0) {
      return send(from, 0);
    }
    ByteBuffer payload = from.asByteBuffer();
    head(held, payload).put(payload);
    begun++;
    done++;
    return bytes;
  }

  long send(MemorySegment from, long at) throws IOException {
    while (at + ahead < from.byteSize() && begun - done < connections.length && !busy[next]) {
      long bytes = Math.min(FrameLayout.LONGEST, from.byteSize() - at - ahead);
      begin(from.asSlice(at + ahead, bytes).asByteBuffer());
      ahead += bytes;
    }
    for (long k = done; k < begun; k++) {
      int socket = socket(k);
      if (busy[socket]) {
        busy[socket] = !connections[socket].write(frames[socket]);
      }
    }
    long sent = 0;
    while (done < begun && !busy[socket(done)]) {
      sent += frames[socket(done)][2].limit();
      done++;
    }
    ahead -= sent;
    if (done == begun) {
      held.clear();
    }
    return sent;
  }

  private void begin(ByteBuffer payload) {
    ByteBuffer[] frame = frames[next];
    frame[0] = held.position() > 0 && begun == done ? held.flip() : NOTHING;
    head(frame[1].clear(), payload).flip();
    frame[2] = payload;
    busy[next] = true;
    sockets[(int) (begun % sockets.length)] = next;
    if (!FrameLayout.isShort(payload.remaining())) {
      next = (next + 1) % connections.length;
    }
    begun++;
  }

  private ByteBuffer head(ByteBuffer into, ByteBuffer payload) {
    return into.putInt(payload.remaining())
        .putInt(FrameLayout.checksum(payload.duplicate()))
        .putLong(begun);
  }

  private int socket(long chunk) {
    return sockets[(int) (chunk % sockets.length)];
  }
}
