package dev.sortie.parallel.comm.message;

import dev.sortie.parallel.comm.transport.Endpoint;
import java.lang.foreign.MemorySegment;

/**
 * A message from a peer, which must belong to the same call and have the length expected. A short
 * one is asked for whole, as it was sent.
 */
public final class Incoming implements Transfer {
  private final Messages messages;
  private final Endpoint endpoint;
  private final int peer;
  private final CallFingerprint call;
  private final MemorySegment payload;
  private final MemorySegment first;
  private final long total;
  private long received;

  /**
   * @param scratch for the header and a short payload, of {@code Header.BYTES + Outgoing.SHORT}
   */
  Incoming(
      Messages messages,
      Endpoint endpoint,
      int peer,
      CallFingerprint call,
      MemorySegment payload,
      MemorySegment scratch) {
    this.messages = messages;
    this.endpoint = endpoint;
    this.peer = peer;
    this.call = call;
    this.payload = payload;
    this.first = scratch.asSlice(0, Outgoing.firstBytes(payload));
    this.total = Header.BYTES + payload.byteSize();
  }

  @Override
  public boolean progress() {
    if (received >= first.byteSize()) {
      long moved = endpoint.receive(peer, payload, received - Header.BYTES);
      received += moved;
      return moved > 0;
    }
    long before = received;
    received += endpoint.receive(peer, first, received);
    if (before < Header.BYTES && received >= Header.BYTES) {
      messages.check(peer, call, payload.byteSize(), first);
    }
    if (received == first.byteSize() && received > Header.BYTES) {
      MemorySegment.copy(first, Header.BYTES, payload, 0, payload.byteSize());
    }
    return received > before;
  }

  @Override
  public boolean isDone() {
    return received == total;
  }

  @Override
  public int peer() {
    return peer;
  }

  /** Where the sender's buffer lies in shared memory; once the message is there. */
  public long place() {
    return Header.place(first);
  }
}
