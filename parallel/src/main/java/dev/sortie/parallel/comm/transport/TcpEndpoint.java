package dev.sortie.parallel.comm.transport;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.mesh.Group;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The sockets of one group: several for each pair of members. */
final class TcpEndpoint implements Endpoint {
  private final TcpTransport transport;
  private final Group group;
  private final Wire[][] wires;
  private final TcpSender[] senders;
  private final TcpReceiver[] receivers;

  /**
   * @param wires by position of the peer; non-blocking; empty at this member's own position
   */
  TcpEndpoint(TcpTransport transport, Group group, Wire[][] wires) {
    this.transport = transport;
    this.group = group;
    this.wires = wires;
    this.senders = new TcpSender[wires.length];
    this.receivers = new TcpReceiver[wires.length];
    for (int i = 0; i < wires.length; i++) {
      senders[i] = new TcpSender(wires[i]);
      receivers[i] = new TcpReceiver(wires[i]);
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
    if (!damaged) {
      return transport.broken(failure);
    }
    transport.fail(failure);
    return transport.failure().orElse(failure).exception();
  }

  @Override
  public void close() {
    for (Wire[] pair : wires) {
      for (Wire wire : pair) {
        transport.close(wire);
      }
    }
  }
}
