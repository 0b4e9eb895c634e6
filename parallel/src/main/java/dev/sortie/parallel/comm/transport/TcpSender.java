package dev.sortie.parallel.comm.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * The sending side of a pair: cuts memory into chunks, which several sockets carry at once straight
 * from the caller's memory. Bytes count as sent once the system has taken their chunk and all
 * chunks before it; until then the caller offers the same memory again.
 */
final class TcpSender {
  private final SocketChannel[] sockets;
  private final ByteBuffer[][] frames;
  private long begun;
  private long done;
  private long ahead;

  TcpSender(SocketChannel[] sockets) {
    this.sockets = sockets;
    this.frames = new ByteBuffer[sockets.length][2];
    for (ByteBuffer[] frame : frames) {
      frame[0] = FrameLayout.header();
    }
  }

  long send(MemorySegment from, long at) throws IOException {
    while (at + ahead < from.byteSize() && begun - done < sockets.length) {
      long bytes = Math.min(FrameLayout.LONGEST, from.byteSize() - at - ahead);
      begin(from.asSlice(at + ahead, bytes).asByteBuffer());
      ahead += bytes;
    }
    for (long k = done; k < begun; k++) {
      ByteBuffer[] frame = frames[stream(k)];
      if (frame[1].hasRemaining()) {
        sockets[stream(k)].write(frame);
      }
    }
    long sent = 0;
    while (done < begun && !frames[stream(done)][1].hasRemaining()) {
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
    begun++;
  }

  private int stream(long chunk) {
    return (int) (chunk % sockets.length);
  }
}
