package dev.sortie.parallel.comm.transport.hierarchical;

import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** All ranks tell all others some bytes, the same number each, before there is a communicator. */
final class BootstrapAllGather {
  private final Transport transport;
  private final Endpoint endpoint;
  private final TcpTransport.Options options;

  BootstrapAllGather(Transport transport, Endpoint endpoint, TcpTransport.Options options) {
    this.transport = transport;
    this.endpoint = endpoint;
    this.options = options;
  }

  /** What each rank gave, this one included. */
  byte[][] run(byte[] mine) {
    int p = options.world();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(mine.length);
      out.copyFrom(MemorySegment.ofArray(mine));
      MemorySegment in = arena.allocate((long) p * mine.length);
      long[] sent = new long[p];
      long[] got = new long[p];
      sent[options.rank()] = mine.length;
      got[options.rank()] = mine.length;
      in.asSlice((long) options.rank() * mine.length, mine.length).copyFrom(out);
      IdleStrategy idle = new IdleStrategy(transport, options.joining());
      for (int peer = 0; peer < p; ) {
        if (sent[peer] == mine.length && got[peer] == mine.length) {
          peer++;
          continue;
        }
        if (!turn(out, in, sent, got)) {
          int missing = peer;
          idle.idle(
              () ->
                  "rank %d waits for rank %d to say on which host it is"
                      .formatted(options.rank(), missing));
        }
      }
      byte[][] all = new byte[p][mine.length];
      for (int peer = 0; peer < p; peer++) {
        MemorySegment.copy(
            in, (long) peer * mine.length, MemorySegment.ofArray(all[peer]), 0, mine.length);
      }
      return all;
    }
  }

  /** Moves what can be moved; whether something was. */
  private boolean turn(MemorySegment out, MemorySegment in, long[] sent, long[] got) {
    boolean moved = false;
    long bytes = out.byteSize();
    for (int peer = 0; peer < sent.length; peer++) {
      if (sent[peer] < bytes) {
        long n = endpoint.send(peer, out, sent[peer]);
        sent[peer] += n;
        moved |= n > 0;
      }
      if (got[peer] < bytes) {
        long n = endpoint.receive(peer, in.asSlice(peer * bytes, bytes), got[peer]);
        got[peer] += n;
        moved |= n > 0;
      }
    }
    return moved;
  }
}
