package dev.sortie.parallel.comm.message;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.comm.transport.SharedMemory;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;

/**
 * Messages between the members of a group on one endpoint, each checked against the call that it
 * belongs to.
 */
public final class Messages implements AutoCloseable {
  private static final long FIRST = Header.BYTES + Outgoing.SHORT;

  /** Calls that are remembered for errors: a rank that only sent may be some calls ahead. */
  private static final int RECENT = 16;

  private final Transport transport;
  private final Endpoint endpoint;
  private final Group group;
  private final Duration deadline;
  private final int position;
  private final MemorySegment[] out;
  private final MemorySegment[] in;
  private final CallFingerprint[] recent = new CallFingerprint[RECENT];

  /**
   * @param endpoint of the group's members; closed with this
   * @param deadline longest wait without a byte moving
   * @param arena of the memory for headers and short payloads
   */
  public Messages(
      Transport transport, Endpoint endpoint, Group group, Duration deadline, Arena arena) {
    this.transport = transport;
    this.endpoint = endpoint;
    this.group = group;
    this.deadline = deadline;
    this.position = group.positionOf(transport.rank()).orElseThrow();
    this.out = new MemorySegment[group.size()];
    this.in = new MemorySegment[group.size()];
    for (int i = 0; i < group.size(); i++) {
      out[i] = arena.allocate(FIRST, 64);
      in[i] = arena.allocate(FIRST, 64);
    }
  }

  /** Number of members. */
  public int size() {
    return group.size();
  }

  /** This member's position in the group. */
  public int position() {
    return position;
  }

  /** Memory that all members see, where the transport has it. */
  public Optional<SharedMemory> shared() {
    return endpoint.shared();
  }

  /**
   * A message to a peer; at most one to each peer at a time.
   *
   * @param place what the peer reads as {@link Incoming#place}
   */
  public Transfer to(int peer, CallFingerprint call, MemorySegment payload, long place) {
    return new Outgoing(endpoint, peer, call, payload, place, out[peer]);
  }

  /** A message from a peer; at most one from each peer at a time. */
  public Incoming from(int peer, CallFingerprint call, MemorySegment payload) {
    return new Incoming(this, endpoint, peer, call, payload, in[peer]);
  }

  /**
   * Drives the transfers in turns until all are done. A failure names the call that it ended, also
   * when another rank or the transport found it.
   */
  public void run(CallFingerprint call, Transfer... transfers) {
    try {
      drive(call, transfers);
    } catch (CommException e) {
      throw during(e, call.describe());
    }
  }

  /** The failure, with what this member was doing. */
  public CommException during(CommException e, String what) {
    return e.getMessage().contains(what)
        ? e
        : new CommException(e.kind(), e.getMessage() + "; " + me() + " was in " + what, e);
  }

  private void drive(CallFingerprint call, Transfer... transfers) {
    recent[index(call.sequence())] = call;
    IdleStrategy idle = new IdleStrategy(transport, deadline);
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
        idle.reset();
      } else {
        Transfer late = waiting;
        if (idle.isCheckDue()) {
          failIfPeersLeft(call, transfers);
        }
        idle.idle(() -> me() + " in " + call.describe() + " waits for " + name(late.peer()));
      }
    }
  }

  /**
   * A rank that has left may have sent its last bytes since they were asked for: asks once more.
   */
  private void failIfPeersLeft(CallFingerprint call, Transfer... transfers) {
    for (Transfer transfer : transfers) {
      if (!transfer.isDone() && endpoint.hasLeft(transfer.peer()) && !transfer.progress()) {
        throw fail(
            CommException.Kind.LOST_RANK,
            name(transfer.peer()) + " has left while " + me() + " is in " + call.describe());
      }
    }
  }

  /** Fails the job if a header is of another call than {@code call}. */
  void check(int peer, CallFingerprint call, long bytes, MemorySegment header) {
    if (Header.isOf(header, call, bytes)) {
      return;
    }
    if (!Header.isSound(header)) {
      throw fail(
          CommException.Kind.CORRUPT,
          me() + " got bytes from " + name(peer) + " that are no message of " + call.describe());
    }
    CallFingerprint theirs = Header.call(header);
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
  private CallFingerprint counterpart(CallFingerprint call, CallFingerprint theirs) {
    CallFingerprint old = recent[index(theirs.sequence())];
    boolean found = old != null && old.sequence() == theirs.sequence();
    return found && old.operation() != Operation.MESSAGE ? old : call;
  }

  private static int index(long sequence) {
    return (int) Math.floorMod(sequence, (long) RECENT);
  }

  /** Ends the job; the exception is the first failure's, which may be another rank's. */
  public CommException fail(CommException.Kind kind, String reason) {
    return transport.failWith(new Failure(kind, reason));
  }

  /** This rank, as errors name it. */
  public String me() {
    return "rank " + transport.rank().value();
  }

  /** A member, as errors name it. */
  public String name(int position) {
    return "rank " + group.ranks().get(position).value();
  }

  @Override
  public void close() {
    endpoint.close();
  }
}
