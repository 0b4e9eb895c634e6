package dev.sortie.parallel.comm.transport.mpi;

import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** The messages of one group, told from those of others by their tag. */
final class MpiEndpoint implements Endpoint {
  private final MpiTransport transport;
  private final Group group;
  private final Duration deadline;
  private final MpiSender[] senders;
  private final MpiReceiver[] receivers;

  MpiEndpoint(MpiTransport transport, Group group, Duration deadline, int tag) {
    this.transport = transport;
    this.group = group;
    this.deadline = deadline;
    this.senders = new MpiSender[group.size()];
    this.receivers = new MpiReceiver[group.size()];
    for (int i = 0; i < group.size(); i++) {
      int peer = rank(i);
      senders[i] = new MpiSender(transport.mpi(), peer, tag, transport.buffers());
      receivers[i] = new MpiReceiver(transport.mpi(), peer, tag, transport.buffers());
    }
  }

  @Override
  public long send(int to, MemorySegment from, long at) {
    try {
      return senders[to].send(from, at);
    } catch (MpiLibrary.MpiException e) {
      throw transport.broken(rank(to), e);
    }
  }

  @Override
  public long receive(int from, MemorySegment into, long at) {
    try {
      return receivers[from].receive(into, at);
    } catch (MpiLibrary.MpiException e) {
      throw transport.broken(rank(from), e);
    }
  }

  @Override
  public boolean hasLeft(int peer) {
    return transport.hasLeft(rank(peer));
  }

  private int rank(int position) {
    return group.ranks().get(position).value();
  }

  /** Waits until what was sent has gone; in a job that has failed nothing is waited for. */
  @Override
  public void close() {
    for (int i = 0; i < senders.length && transport.failure().isEmpty(); i++) {
      IdleStrategy idle = new IdleStrategy(transport, deadline);
      int peer = rank(i);
      while (!senders[i].isFlushed() && transport.failure().isEmpty() && !transport.hasLeft(peer)) {
        idle.idle(
            () ->
                "rank %d sends its last bytes to rank %d"
                    .formatted(transport.rank().value(), peer));
      }
    }
    if (transport.failure().isEmpty()) {
      for (MpiReceiver receiver : receivers) {
        receiver.close();
      }
    }
  }
}
