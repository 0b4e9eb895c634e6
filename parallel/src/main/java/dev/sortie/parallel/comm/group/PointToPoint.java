package dev.sortie.parallel.comm.group;

import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.comm.message.CallFingerprint;
import dev.sortie.parallel.comm.message.Messages;
import dev.sortie.parallel.comm.transport.SharedMemory;

/**
 * Messages from member to member. Each direction of each pair counts its messages and has a stream
 * of its own: they neither wait for each other nor for collectives.
 */
final class PointToPoint implements AutoCloseable {
  private final Messages messages;
  private final int group;
  private final Direction[] out;
  private final Direction[] in;

  /**
   * @param messages of an endpoint that nothing else uses
   * @param group what fingerprints say
   */
  PointToPoint(Messages messages, int group) {
    this.messages = messages;
    this.group = group;
    this.out = directions("to");
    this.in = directions("from");
  }

  private Direction[] directions(String name) {
    Direction[] directions = new Direction[messages.size()];
    for (int i = 0; i < directions.length; i++) {
      String peer = messages.name(i).replace(' ', '-');
      String me = "sortie-" + messages.me();
      directions[i] = new Direction(new CallStream(me + "-" + name + "-" + peer));
    }
    return directions;
  }

  void send(Elements data, int to) {
    Direction direction = direction(out, to);
    direction.calls.run(() -> sendNow(data, to, direction));
  }

  void receive(Elements data, int from) {
    Direction direction = direction(in, from);
    direction.calls.run(() -> receiveNow(data, from, direction));
  }

  Handle startSend(Elements data, int to) {
    Direction direction = direction(out, to);
    return direction.calls.start(() -> sendNow(data, to, direction));
  }

  Handle startReceive(Elements data, int from) {
    Direction direction = direction(in, from);
    return direction.calls.start(() -> receiveNow(data, from, direction));
  }

  private void sendNow(Elements data, int to, Direction direction) {
    CallFingerprint call = fingerprint(data, direction);
    messages.run(call, messages.to(to, call, data.memory(), SharedMemory.PRIVATE));
  }

  private void receiveNow(Elements data, int from, Direction direction) {
    CallFingerprint call = fingerprint(data, direction);
    messages.run(call, messages.from(from, call, data.memory()));
  }

  private CallFingerprint fingerprint(Elements data, Direction direction) {
    return CallFingerprint.ofMessage(data.type(), group, data.count(), ++direction.sequence);
  }

  private Direction direction(Direction[] directions, int peer) {
    if (peer < 0 || peer >= directions.length || peer == messages.position()) {
      throw new IllegalArgumentException(
          "position " + peer + " is no other member of a group of " + directions.length);
    }
    return directions[peer];
  }

  @Override
  public void close() {
    for (int i = 0; i < out.length; i++) {
      out[i].calls.close();
      in[i].calls.close();
    }
    messages.close();
  }

  private static final class Direction {
    private final CallStream calls;
    private long sequence;

    Direction(CallStream calls) {
      this.calls = calls;
    }
  }
}
