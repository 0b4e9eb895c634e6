package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;
import dev.sortie.parallel.comm.transport.SharedMemory;
import dev.sortie.parallel.mesh.Group;

/**
 * Messages from member to member. Each direction of each pair counts its messages and has a lane of
 * its own: they neither wait for each other nor for collectives.
 */
final class PointToPoint implements AutoCloseable {
  private final Messages messages;
  private final int position;
  private final int group;
  private final Direction[] out;
  private final Direction[] in;

  PointToPoint(Messages messages, Group group, int position, int fingerprint) {
    this.messages = messages;
    this.position = position;
    this.group = fingerprint;
    this.out = directions(group, "to");
    this.in = directions(group, "from");
  }

  private Direction[] directions(Group group, String name) {
    Direction[] directions = new Direction[group.size()];
    for (int i = 0; i < directions.length; i++) {
      String peer = messages.name(i).replace(' ', '-');
      directions[i] = new Direction(new Lane("sortie-" + messages.me() + "-" + name + "-" + peer));
    }
    return directions;
  }

  void send(Elements data, int to) {
    Direction direction = direction(out, to);
    direction.lane.run(() -> sendNow(data, to, direction));
  }

  void receive(Elements data, int from) {
    Direction direction = direction(in, from);
    direction.lane.run(() -> receiveNow(data, from, direction));
  }

  Handle startSend(Elements data, int to) {
    Direction direction = direction(out, to);
    return direction.lane.start(() -> sendNow(data, to, direction));
  }

  Handle startReceive(Elements data, int from) {
    Direction direction = direction(in, from);
    return direction.lane.start(() -> receiveNow(data, from, direction));
  }

  private void sendNow(Elements data, int to, Direction direction) {
    Fingerprint call = fingerprint(data, direction);
    messages.run(call, messages.to(to, call, data.memory(), SharedMemory.PRIVATE));
  }

  private void receiveNow(Elements data, int from, Direction direction) {
    Fingerprint call = fingerprint(data, direction);
    messages.run(call, messages.from(from, call, data.memory()));
  }

  private Fingerprint fingerprint(Elements data, Direction direction) {
    return new Fingerprint(
        Operation.MESSAGE,
        data.type(),
        Algorithm.POINT_TO_POINT,
        Order.ASCENDING,
        -1,
        group,
        data.count(),
        ++direction.sequence);
  }

  private Direction direction(Direction[] directions, int peer) {
    if (peer < 0 || peer >= directions.length || peer == position) {
      throw new IllegalArgumentException(
          "position " + peer + " is no other member of a group of " + directions.length);
    }
    return directions[peer];
  }

  @Override
  public void close() {
    for (int i = 0; i < out.length; i++) {
      out[i].lane.close();
      in[i].lane.close();
    }
  }

  private static final class Direction {
    private final Lane lane;
    private long sequence;

    Direction(Lane lane) {
      this.lane = lane;
    }
  }
}
