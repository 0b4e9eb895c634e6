package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.transport.Endpoint;
import java.lang.foreign.MemorySegment;

/** A message from a peer, which must belong to the same call and have the length expected. */
final class Incoming implements Transfer {
  private final Messages messages;
  private final Endpoint endpoint;
  private final int peer;
  private final Fingerprint call;
  private final MemorySegment payload;
  private final MemorySegment header;
  private final long total;
  private long received;

  Incoming(
      Messages messages,
      Endpoint endpoint,
      int peer,
      Fingerprint call,
      MemorySegment payload,
      MemorySegment header) {
    this.messages = messages;
    this.endpoint = endpoint;
    this.peer = peer;
    this.call = call;
    this.payload = payload;
    this.header = header;
    this.total = Header.BYTES + payload.byteSize();
  }

  @Override
  public boolean progress() {
    long moved;
    if (received < Header.BYTES) {
      moved = endpoint.receive(peer, header, received);
      if (received + moved == Header.BYTES) {
        messages.check(peer, call, payload.byteSize(), header);
      }
    } else {
      moved = endpoint.receive(peer, payload, received - Header.BYTES);
    }
    received += moved;
    return moved > 0;
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
  long place() {
    return Header.place(header);
  }
}
