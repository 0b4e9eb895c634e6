package dev.sortie.parallel.comm.transport.tcp;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.mesh.Group;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The sockets of one group: several for each pair of members. */
final class TcpEndpoint implements Endpoint {
  private final TcpTransport transport;
  private final Group group;
  private final Connection[][] connections;
  private final TcpSender[] senders;
  private final TcpReceiver[] receivers;

  /**
   * @param connections by position of the peer; non-blocking; empty at this member's own position
   */
  TcpEndpoint(TcpTransport transport, Group group, Connection[][] connections) {
    this.transport = transport;
    this.group = group;
    this.connections = connections;
    this.senders = new TcpSender[connections.length];
    this.receivers = new TcpReceiver[connections.length];
    for (int i = 0; i < connections.length; i++) {
      senders[i] = new TcpSender(connections[i]);
      receivers[i] = new TcpReceiver(connections[i]);
    }
  }

  @Override
  public long send(int to, MemorySegment from, long at) {
    try {
      return senders[to].send(from, at);
    } catch (IOException e) {
      throw broken(to, e);
    }
  }

  @Override
  public long sendFirst(int to, MemorySegment from, long at) {
    try {
      return at == 0 ? senders[to].hold(from) : senders[to].send(from, at);
    } catch (IOException e) {
      throw broken(to, e);
    }
  }

  @Override
  public long receive(int from, MemorySegment into, long at) {
    try {
      return receivers[from].receive(into, at);
    } catch (IOException e) {
      throw broken(from, e);
    }
  }

  @Override
  public boolean hasLeft(int peer) {
    return receivers[peer].hasEnded() && transport.hasLeft(rank(peer));
  }

  private int rank(int peer) {
    return group.ranks().get(peer).value();
  }

  private CommException broken(int peer, IOException e) {
    boolean damaged = e instanceof TcpReceiver.DamagedException;
    Failure failure =
        new Failure(
            damaged ? CommException.Kind.CORRUPT : CommException.Kind.LOST_RANK,
            "rank %d's connection to rank %d: %s"
                .formatted(transport.rank().value(), rank(peer), e.getMessage()));
    return damaged ? transport.failWith(failure) : transport.broken(failure);
  }

  @Override
  public void close() {
    for (Connection[] pair : connections) {
      for (Connection connection : pair) {
        transport.close(connection);
      }
    }
  }
}
