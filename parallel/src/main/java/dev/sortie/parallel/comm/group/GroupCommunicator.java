package dev.sortie.parallel.comm.group;

import dev.sortie.nn.file.Sha256;
import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.algorithm.Collectives;
import dev.sortie.parallel.comm.message.Messages;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.SharedMemory;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The communicator over any transport. Collectives and messages have endpoints of their own, so
 * that a message that waits does not hold up a collective.
 */
public final class GroupCommunicator implements Communicator {
  /** Hexadecimal digits of a part's name: no two of a job have the same 128 bits. */
  private static final int NAME = 32;

  private final Transport transport;
  private final CommOptions options;
  private final String id;
  private final Group group;
  private final Arena arena = Arena.ofShared();
  private final Messages messages;
  private final Collectives collectives;
  private final PointToPoint points;
  private final CallStream stream;
  private final Map<Group, Integer> splits = new HashMap<>();
  private boolean closed;

  private GroupCommunicator(
      Transport transport, CommOptions options, String id, Group group, LinkSpeed known) {
    this.transport = transport;
    this.options = options;
    this.id = id;
    this.group = group;
    this.stream = new CallStream("sortie-collectives-" + id + "-" + transport.rank().value());
    int fingerprint = (id + group).hashCode();
    List<Messages> opened = new ArrayList<>(2);
    try {
      opened.add(open("c"));
      opened.add(open("m"));
      this.messages = opened.getFirst();
      this.points = new PointToPoint(opened.getLast(), fingerprint);
      this.collectives = new Collectives(messages, fingerprint, options, known);
    } catch (RuntimeException | Error e) {
      opened.forEach(Messages::close);
      arena.close();
      throw e;
    }
  }

  /** The communicator of all ranks of a transport. A collective call. */
  public static Communicator over(Transport transport, CommOptions options) {
    Group all = new Group(IntStream.range(0, transport.world()).mapToObj(GlobalRank::new).toList());
    return new GroupCommunicator(transport, options, "w", all, null);
  }

  private Messages open(String kind) {
    try {
      Endpoint endpoint = transport.open(id + kind, group, options.deadline());
      return new Messages(transport, endpoint, group, options.deadline(), arena);
    } catch (CommException e) {
      throw new CommException(
          e.kind(),
          "%s; rank %d was in split of %s".formatted(e.getMessage(), rank().value(), group),
          e);
    }
  }

  @Override
  public Group group() {
    return group;
  }

  @Override
  public GlobalRank rank() {
    return transport.rank();
  }

  @Override
  public int position() {
    return messages.position();
  }

  @Override
  public void run(Collective call) {
    call.check(group.size());
    stream.run(() -> carryOut(call));
  }

  @Override
  public Handle start(Collective call) {
    call.check(group.size());
    return stream.start(() -> carryOut(call));
  }

  private void carryOut(Collective call) {
    ready(call.operation().label());
    collectives.run(call);
  }

  @Override
  public void send(Elements data, int to) {
    ready("send");
    points.send(data, to);
  }

  @Override
  public void receive(Elements data, int from) {
    ready("receive");
    points.receive(data, from);
  }

  @Override
  public Handle startSend(Elements data, int to) {
    ready("send");
    return points.startSend(data, to);
  }

  @Override
  public Handle startReceive(Elements data, int from) {
    ready("receive");
    return points.startReceive(data, from);
  }

  @Override
  public Communicator split(Group members) {
    ready("split");
    if (!group.ranks().containsAll(members.ranks()) || members.positionOf(rank()).isEmpty()) {
      throw new IllegalArgumentException(
          "rank "
              + rank().value()
              + " cannot split "
              + members
              + " off "
              + group
              + ": it must hold this rank and only members");
    }
    int number = splits.merge(members, 1, Integer::sum);
    return new GroupCommunicator(transport, options, name(id, members, number), members, speed());
  }

  /**
   * The id of a part, which no other group of the job has. A hash: transports limit its length, and
   * groups may be large and parts have parts.
   */
  static String name(String whole, Group members, int number) {
    String ranks =
        members.ranks().stream().map(r -> "" + r.value()).collect(Collectors.joining(" "));
    String all = "%s, %d: %s".formatted(whole, number, ranks);
    return Sha256.of(all.getBytes(StandardCharsets.US_ASCII)).substring(0, NAME) + ".";
  }

  @Override
  public MemorySegment allocate(long bytes) {
    ready("allocate");
    Optional<SharedMemory> shared = messages.shared();
    if (shared.isEmpty() || group.size() == 1) {
      return arena.allocate(bytes, 64);
    }
    MemorySegment[] memory = new MemorySegment[1];
    try {
      stream.run(() -> memory[0] = shared.get().allocate(bytes));
    } catch (CommException e) {
      throw messages.during(e, "allocate of " + bytes + " bytes");
    }
    return memory[0];
  }

  @Override
  public Algorithm algorithm(Collective call) {
    call.check(group.size());
    return collectives.algorithm(call);
  }

  @Override
  public LinkSpeed speed() {
    return collectives.speed();
  }

  @Override
  public void abort(String reason) {
    messages.fail(CommException.Kind.ABORTED, "rank " + rank().value() + " gave up: " + reason);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      stream.close();
      points.close();
      collectives.close();
      arena.close();
    }
  }

  private void ready(String call) {
    if (closed) {
      throw new IllegalStateException("the communicator of " + group + " is closed");
    }
    if (transport.failure().isPresent()) {
      Failure failure = transport.failure().get();
      throw new CommException(
          failure.kind(),
          "%s; rank %d cannot begin %s".formatted(failure.reason(), rank().value(), call));
    }
  }
}
