package dev.sortie.parallel.comm.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * The sending side of a pair: cuts memory into chunks, which several sockets carry at once straight
 * from the caller's memory. Bytes count as sent once the system has taken their chunk and all
 * chunks before it; until then the caller offers the same memory again.
 */
final class TcpSender {
  private final Wire[] wires;
  private final ByteBuffer[][] frames;
  private final boolean[] busy;
  private long begun;
  private long done;
  private long ahead;

  TcpSender(Wire[] wires) {
    this.wires = wires;
    this.busy = new boolean[wires.length];
    this.frames = new ByteBuffer[wires.length][2];
    for (ByteBuffer[] frame : frames) {
      frame[0] = FrameLayout.header();
    }
  }

  long send(MemorySegment from, long at) throws IOException {
    while (at + ahead < from.byteSize() && begun - done < wires.length) {
      long bytes = Math.min(FrameLayout.LONGEST, from.byteSize() - at - ahead);
      begin(from.asSlice(at + ahead, bytes).asByteBuffer());
      ahead += bytes;
    }
    for (long k = done; k < begun; k++) {
      int stream = stream(k);
      if (busy[stream]) {
        busy[stream] = !wires[stream].write(frames[stream]);
      }
    }
    long sent = 0;
    while (done < begun && !busy[stream(done)]) {
      sent += frames[stream(done)][1].limit();
      done++;
    }
    ahead -= sent;
    return sent;
  }

  private void begin(ByteBuffer payload) {
    ByteBuffer[] frame = frames[stream(begun)];
    frame[0].clear();
    frame[0].putInt(payload.remaining());
    frame[0].putInt(FrameLayout.checksum(payload.duplicate()));
    frame[0].putLong(begun).flip();
    frame[1] = payload;
    busy[stream(begun)] = true;
    begun++;
  }

  private int stream(long chunk) {
    return (int) (chunk % wires.length);
  }
}
