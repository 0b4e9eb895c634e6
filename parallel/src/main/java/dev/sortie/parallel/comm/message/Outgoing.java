package dev.sortie.parallel.comm.message;

import dev.sortie.parallel.comm.transport.Endpoint;
import java.lang.foreign.MemorySegment;

/** A message to a peer: a header, then the payload. Short payloads travel with their header. */
final class Outgoing implements Transfer {
  /** Payloads up to this are copied after the header: one publication, or one frame, not two. */
  static final int SHORT = 1024;

  private final Endpoint endpoint;
  private final int peer;
  private final MemorySegment first;
  private final MemorySegment payload;
  private final long total;
  private long sent;

  /**
   * @param scratch for the header and a short payload, of {@code Header.BYTES + SHORT}
   */
  Outgoing(
      Endpoint endpoint,
      int peer,
      CallFingerprint call,
      MemorySegment payload,
      long place,
      MemorySegment scratch) {
    this.endpoint = endpoint;
    this.peer = peer;
    this.payload = payload;
    Header.write(scratch, call, payload.byteSize(), place);
    this.first = scratch.asSlice(0, firstBytes(payload));
    MemorySegment.copy(payload, 0, scratch, Header.BYTES, first.byteSize() - Header.BYTES);
    this.total = Header.BYTES + payload.byteSize();
  }

  /** Bytes of a header and of the payload that travels with it. */
  static long firstBytes(MemorySegment payload) {
    return Header.BYTES + (payload.byteSize() <= SHORT ? payload.byteSize() : 0);
  }

  @Override
  public boolean progress() {
    long moved;
    if (sent >= first.byteSize()) {
      moved = endpoint.send(peer, payload, sent - Header.BYTES);
    } else if (total > first.byteSize()) {
      moved = endpoint.sendFirst(peer, first, sent);
    } else {
      moved = endpoint.send(peer, first, sent);
    }
    sent += moved;
    return moved > 0;
  }

  @Override
  public boolean isDone() {
    return sent == total;
  }

  @Override
  public int peer() {
    return peer;
  }
}
