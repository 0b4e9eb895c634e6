package dev.sortie.parallel.comm.transport.mpi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sortie.parallel.comm.CommException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * Control messages between ranks, apart from the data: signs of life, failures, farewells, and the
 * tags of groups. All are messages of one length with one tag:
 *
 * <pre>
 *    0        1        2                                  1024
 *    +--------+--------+----------------------------------+
 *    | type   | kind   | text, UTF-8, ended by a 0        |
 *    | u8     | u8     |                                  |
 *    +--------+--------+----------------------------------+
 * </pre>
 */
final class MpiNotices {
  /** Below any group's tag. */
  private static final int TAG = 1;

  private static final int BYTES = 1024;
  private static final long TEXT = 2;
  private static final CommException.Kind[] KINDS = CommException.Kind.values();

  /** What a notice says. */
  enum Type {
    BEAT,
    FAILURE,
    FAREWELL,
    GROUP
  }

  /** A notice; {@code kind} counts for failures only. */
  record Notice(Type type, CommException.Kind kind, String text) {
    Notice(Type type, String text) {
      this(type, CommException.Kind.ABORTED, text);
    }
  }

  private record Sent(MemorySegment bytes, MemorySegment request) {}

  private final MpiLibrary mpi;
  private final Arena arena;
  private final int rank;
  private final MemorySegment[] incoming;
  private final MemorySegment[] requests;
  private final List<Sent> free = new ArrayList<>();
  private final List<Sent> going = new ArrayList<>();

  MpiNotices(MpiLibrary mpi, int rank, int world, Arena arena) {
    this.mpi = mpi;
    this.arena = arena;
    this.rank = rank;
    this.incoming = new MemorySegment[world];
    this.requests = new MemorySegment[world];
    for (int peer = 0; peer < world; peer++) {
      if (peer != rank) {
        incoming[peer] = arena.allocate(BYTES, 64);
        requests[peer] = arena.allocate(Long.BYTES, 8);
        mpi.receive(incoming[peer], peer, TAG, requests[peer]);
      }
    }
  }

  /** Begins to send to one rank. */
  synchronized void send(int peer, Notice notice) {
    Sent sent =
        free.isEmpty()
            ? new Sent(arena.allocate(BYTES, 64), arena.allocate(Long.BYTES, 8))
            : free.removeLast();
    byte[] text = notice.text().getBytes(StandardCharsets.UTF_8);
    int kept = (int) Math.min(text.length, BYTES - TEXT - 1);
    sent.bytes.set(JAVA_BYTE, 0, (byte) notice.type().ordinal());
    sent.bytes.set(JAVA_BYTE, 1, (byte) notice.kind().ordinal());
    MemorySegment.copy(text, 0, sent.bytes, JAVA_BYTE, TEXT, kept);
    sent.bytes.set(JAVA_BYTE, TEXT + kept, (byte) 0);
    mpi.send(sent.bytes, BYTES, peer, TAG, sent.request);
    going.add(sent);
  }

  /** Sends to all other ranks. */
  void sendToAll(Notice notice) {
    for (int peer = 0; peer < incoming.length; peer++) {
      if (peer != rank) {
        send(peer, notice);
      }
    }
  }

  /** Hands out what has come, with the sender's rank, and takes back what has gone. */
  synchronized void poll(BiConsumer<Integer, Notice> reader) {
    for (int peer = 0; peer < incoming.length; peer++) {
      while (peer != rank && mpi.received(requests[peer]) >= 0) {
        Notice notice = read(incoming[peer]);
        mpi.receive(incoming[peer], peer, TAG, requests[peer]);
        reader.accept(peer, notice);
      }
    }
    for (Iterator<Sent> sent = going.iterator(); sent.hasNext(); ) {
      Sent next = sent.next();
      if (mpi.isDone(next.request)) {
        free.add(next);
        sent.remove();
      }
    }
  }

  private static Notice read(MemorySegment bytes) {
    return new Notice(
        Type.values()[Math.clamp(bytes.get(JAVA_BYTE, 0), 0, Type.values().length - 1)],
        KINDS[Math.clamp(bytes.get(JAVA_BYTE, 1), 0, KINDS.length - 1)],
        bytes.getString(TEXT));
  }

  /** Whether all that was sent has gone. */
  synchronized boolean isFlushed() {
    return going.isEmpty();
  }

  /** Takes back the buffers that wait. */
  synchronized void close() {
    for (MemorySegment request : requests) {
      if (request != null) {
        mpi.cancel(request);
      }
    }
  }
}
