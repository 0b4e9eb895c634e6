package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.SharedMemory;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The communicator over any transport. Collectives and messages have streams of their own, so that
 * a message that waits does not hold up a collective.
 */
public final class GroupCommunicator implements Communicator {
  private final Transport transport;
  private final CommOptions options;
  private final String id;
  private final Group group;
  private final int position;
  private final int fingerprint;
  private final Arena arena = Arena.ofShared();
  private final Endpoint collectives;
  private final Endpoint messages;
  private final Messages collectiveMessages;
  private final PointToPoint points;
  private final Adder adder = new Adder();
  private final Turn.Scratch scratch = new Turn.Scratch();
  private final Lane lane;
  private final Map<Group, Integer> splits = new HashMap<>();
  private final LinkSpeed speed;
  private final Stage.Once stage;
  private final Choices choices = new Choices();
  private long sequence;
  private boolean closed;

  private GroupCommunicator(
      Transport transport, CommOptions options, String id, Group group, LinkSpeed known) {
    this.transport = transport;
    this.options = options;
    this.id = id;
    this.group = group;
    this.position = group.positionOf(transport.rank()).orElseThrow();
    this.fingerprint = (id + group).hashCode();
    this.collectives = open("c");
    this.messages = open("m");
    this.stage = new Stage.Once(collectives);
    this.collectiveMessages =
        new Messages(transport, collectives, group, options.deadline(), arena);
    this.points =
        new PointToPoint(
            new Messages(transport, messages, group, options.deadline(), arena),
            group,
            position,
            fingerprint);
    this.lane = new Lane("sortie-collectives-" + id + "-" + transport.rank().value());
    this.speed = known == null ? SpeedTest.measure(this, adder) : known;
  }

  /** The communicator of all ranks. */
  public static Communicator world(Transport transport, CommOptions options) {
    Group all = new Group(IntStream.range(0, transport.world()).mapToObj(GlobalRank::new).toList());
    return new GroupCommunicator(transport, options, "w", all, null);
  }

  private Endpoint open(String kind) {
    try {
      return transport.open(id + kind, group, options.deadline());
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
    return position;
  }

  @Override
  public void run(Collective call) {
    Arguments.check(call, group.size());
    lane.run(() -> carryOut(call));
  }

  @Override
  public Handle start(Collective call) {
    Arguments.check(call, group.size());
    return lane.start(() -> carryOut(call));
  }

  private void carryOut(Collective call) {
    ready(call.operation().label());
    sequence++;
    if (group.size() == 1) {
      Alone.run(call);
      return;
    }
    carryOut(call, choose(call));
  }

  private Method choose(Collective call) {
    return choices.choose(
        call,
        () -> Methods.choose(call, group.size(), collectives.shared().isPresent(), speed, options));
  }

  /** Runs one algorithm; any failure ends the job, for the others would wait in vain. */
  private void carryOut(Collective call, Method method) {
    Fingerprint print = Fingerprint.of(call, method.algorithm(), fingerprint, sequence);
    try {
      method.run(
          call, new Turn(collectiveMessages, print, adder, scratch, stage, position, group.size()));
    } catch (CommException e) {
      throw collectiveMessages.during(e, print.describe());
    } catch (RuntimeException e) {
      collectiveMessages.fail(
          CommException.Kind.ABORTED,
          "rank " + rank().value() + " failed in " + print.describe() + ": " + e);
      throw e;
    }
  }

  /** Runs an algorithm for which there is no choice. */
  void runBy(Method method, Collective call) {
    sequence++;
    carryOut(call, method);
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
    String name = "%s.%08x.%d.".formatted(id, members.hashCode(), number);
    return new GroupCommunicator(transport, options, name, members, speed);
  }

  @Override
  public MemorySegment allocate(long bytes) {
    ready("allocate");
    Optional<SharedMemory> shared = collectives.shared();
    if (shared.isEmpty() || group.size() == 1) {
      return arena.allocate(bytes, 64);
    }
    MemorySegment[] memory = new MemorySegment[1];
    try {
      lane.run(() -> memory[0] = shared.get().allocate(bytes));
    } catch (CommException e) {
      throw collectiveMessages.during(e, "allocate of " + bytes + " bytes");
    }
    return memory[0];
  }

  @Override
  public Algorithm algorithm(Collective call) {
    Arguments.check(call, group.size());
    return group.size() == 1 ? Algorithm.POINT_TO_POINT : choose(call).algorithm();
  }

  @Override
  public LinkSpeed speed() {
    return speed;
  }

  @Override
  public void abort(String reason) {
    collectiveMessages.fail(
        CommException.Kind.ABORTED, "rank " + rank().value() + " gave up: " + reason);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      lane.close();
      points.close();
      collectives.close();
      messages.close();
      adder.close();
      scratch.close();
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
