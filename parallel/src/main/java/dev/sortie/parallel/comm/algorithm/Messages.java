package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.Patience;
import dev.sortie.parallel.comm.transport.SharedMemory;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;

/** Messages between the members of a group, each checked against the call that it belongs to. */
final class Messages {
  private static final long FIRST = Header.BYTES + Outgoing.SHORT;

  /** Calls that are remembered for errors: a rank that only sent may be some calls ahead. */
  private static final int RECENT = 16;

  private final Transport transport;
  private final Endpoint endpoint;
  private final Group group;
  private final Duration deadline;
  private final MemorySegment[] out;
  private final MemorySegment[] in;
  private final Fingerprint[] recent = new Fingerprint[RECENT];

  Messages(Transport transport, Endpoint endpoint, Group group, Duration deadline, Arena arena) {
    this.transport = transport;
    this.endpoint = endpoint;
    this.group = group;
    this.deadline = deadline;
    this.out = new MemorySegment[group.size()];
    this.in = new MemorySegment[group.size()];
    for (int i = 0; i < group.size(); i++) {
      out[i] = arena.allocate(FIRST, 64);
      in[i] = arena.allocate(FIRST, 64);
    }
  }

  Optional<SharedMemory> shared() {
    return endpoint.shared();
  }

  /** A message to a peer; at most one to each peer at a time. */
  Outgoing to(int peer, Fingerprint call, MemorySegment payload, long place) {
    return new Outgoing(endpoint, peer, call, payload, place, out[peer]);
  }

  /** A message from a peer; at most one from each peer at a time. */
  Incoming from(int peer, Fingerprint call, MemorySegment payload) {
    return new Incoming(this, endpoint, peer, call, payload, in[peer]);
  }

  /**
   * Drives the transfers in turns until all are done. A failure names the call that it ended, also
   * when another rank or the transport found it.
   */
  void run(Fingerprint call, Transfer... transfers) {
    try {
      drive(call, transfers);
    } catch (CommException e) {
      throw during(e, call.describe());
    }
  }

  /** The failure, with what this member was doing. */
  CommException during(CommException e, String what) {
    return e.getMessage().contains(what)
        ? e
        : new CommException(e.kind(), e.getMessage() + "; " + me() + " was in " + what, e);
  }

  private void drive(Fingerprint call, Transfer... transfers) {
    recent[index(call.sequence())] = call;
    Patience patience = new Patience(transport, deadline);
    while (true) {
      boolean moved = false;
      Transfer waiting = null;
      for (Transfer transfer : transfers) {
        if (!transfer.isDone()) {
          moved |= transfer.progress();
          waiting = transfer.isDone() ? waiting : transfer;
        }
      }
      if (waiting == null) {
        return;
      }
      if (moved) {
        patience.reset();
      } else {
        Transfer late = waiting;
        if (patience.looksUp()) {
          failIfPeersLeft(call, transfers);
        }
        patience.pause(() -> me() + " in " + call.describe() + " waits for " + name(late.peer()));
      }
    }
  }

  /**
   * A rank that has left may have sent its last bytes since they were asked for: asks once more.
   */
  private void failIfPeersLeft(Fingerprint call, Transfer... transfers) {
    for (Transfer transfer : transfers) {
      if (!transfer.isDone() && endpoint.hasLeft(transfer.peer()) && !transfer.progress()) {
        throw fail(
            CommException.Kind.LOST_RANK,
            name(transfer.peer()) + " has left while " + me() + " is in " + call.describe());
      }
    }
  }

  /** Fails the job if a header is of another call than {@code call}. */
  void check(int peer, Fingerprint call, long bytes, MemorySegment header) {
    if (Header.isOf(header, call, bytes)) {
      return;
    }
    if (!Header.isSound(header)) {
      throw fail(
          CommException.Kind.CORRUPT,
          me() + " got bytes from " + name(peer) + " that are no message of " + call.describe());
    }
    Fingerprint theirs = Header.call(header);
    if (!theirs.equals(call)) {
      throw fail(
          CommException.Kind.MISMATCH,
          "ranks made different calls: "
              + me()
              + " "
              + counterpart(call, theirs).describe()
              + ", "
              + name(peer)
              + " "
              + theirs.describe());
    }
    throw fail(
        CommException.Kind.MISMATCH,
        "in %s %s expects %d bytes from %s, which sends %d"
            .formatted(call.describe(), me(), bytes, name(peer), Header.bytes(header)));
  }

  /** This member's call with the number of theirs, if it is remembered. */
  private Fingerprint counterpart(Fingerprint call, Fingerprint theirs) {
    Fingerprint old = recent[index(theirs.sequence())];
    boolean found = old != null && old.sequence() == theirs.sequence();
    return found && old.operation() != Operation.MESSAGE ? old : call;
  }

  private static int index(long sequence) {
    return (int) Math.floorMod(sequence, (long) RECENT);
  }

  /** Ends the job; the exception is the first failure's, which may be another rank's. */
  CommException fail(CommException.Kind kind, String reason) {
    Failure failure = new Failure(kind, reason);
    transport.fail(failure);
    return transport.failure().orElse(failure).exception();
  }

  String me() {
    return "rank " + transport.rank().value();
  }

  String name(int position) {
    return "rank " + group.ranks().get(position).value();
  }
}
