package dev.sortie.eetuning.train.rank;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.comm.Order;
import dev.sortie.parallel.comm.group.DryCommunicator;
import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.Axis;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShardGroup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The process groups of ranks that train together, and what they exchange in addition to hidden
 * states. All ranks make the same calls in the same order. One rank alone has them as well, and
 * sends nothing.
 */
public final class ProcessGroups implements AutoCloseable {
  /**
   * Longest wait for another rank. Rank 0 may tokenise a corpus or sample one while the others
   * wait; a rank that is dead or stopped is noticed within seconds whatever this is.
   */
  private static final Duration DEADLINE = Duration.ofHours(12);

  private final Mesh mesh;
  private final GlobalRank rank;
  private final Optional<Links> links;

  /** How more than one rank are joined. */
  private record Links(
      Optional<Transport> transport,
      Communicator world,
      Communicator replicas,
      Communicator stages,
      Communicator shares) {}

  private ProcessGroups(Mesh mesh, GlobalRank rank, Optional<Links> links) {
    this.mesh = mesh;
    this.rank = rank;
    this.links = links;
  }

  /** One rank that does everything. */
  public static ProcessGroups single() {
    return new ProcessGroups(Mesh.single(), new GlobalRank(0), Optional.empty());
  }

  /**
   * Joins the others. A collective call.
   *
   * @param transport closed with this
   * @param mesh as many ranks as the transport has
   * @throws InputException if there are more or fewer
   */
  public static ProcessGroups of(Transport transport, Mesh mesh) {
    checkSize(mesh, transport.world());
    if (mesh.world() == 1) {
      transport.close();
      return single();
    }
    GlobalRank rank = transport.rank();
    Communicator world =
        GroupCommunicator.over(transport, CommOptions.defaults().withDeadline(DEADLINE));
    Communicator replicas = world.split(mesh.group(Axis.DP, rank));
    Communicator stages = world.split(mesh.group(Axis.PP, rank));
    Communicator shares = world.split(mesh.group(Axis.TP, rank));
    return new ProcessGroups(
        mesh,
        rank,
        Optional.of(new Links(Optional.of(transport), world, replicas, stages, shares)));
  }

  /** One rank of a mesh whose other ranks do not exist; see {@link DryCommunicator}. */
  public static ProcessGroups dry(Mesh mesh, Coordinates place) {
    GlobalRank rank = mesh.rank(place);
    if (mesh.world() == 1) {
      return single();
    }
    Group all = new Group(IntStream.range(0, mesh.world()).mapToObj(GlobalRank::new).toList());
    Function<Group, Communicator> dry = group -> new DryCommunicator(group, rank);
    return new ProcessGroups(
        mesh,
        rank,
        Optional.of(
            new Links(
                Optional.empty(),
                dry.apply(all),
                dry.apply(mesh.group(Axis.DP, rank)),
                dry.apply(mesh.group(Axis.PP, rank)),
                dry.apply(mesh.group(Axis.TP, rank)))));
  }

  /**
   * Refuses a mesh that is not as large as the job.
   *
   * @param ranks in the job
   */
  public static void checkSize(Mesh mesh, int ranks) {
    if (mesh.world() != ranks) {
      throw new InputException(
          "--tp %d, --dp %d and --pp %d need %d ranks, this job has %d; start as many with launch --nproc %d, or change these"
              .formatted(mesh.tp(), mesh.dp(), mesh.pp(), mesh.world(), ranks, mesh.world()));
    }
  }

  /** Sizes along the axes. */
  public Mesh mesh() {
    return mesh;
  }

  /** Where this rank stands. */
  public Coordinates coordinates() {
    return mesh.coordinates(rank);
  }

  /** This rank. */
  public GlobalRank rank() {
    return rank;
  }

  /** Whether this is rank 0, which prints, and writes what belongs to all. */
  public boolean leads() {
    return rank.value() == 0;
  }

  /** Whether there are no others. */
  public boolean isAlone() {
    return links.isEmpty();
  }

  /** Ranks that share this machine's cores with this one, itself included. */
  public int neighbours() {
    return links.flatMap(Links::transport).map(Transport::neighbours).orElse(1);
  }

  /** Ends on each rank after it has begun on all. */
  public void barrier() {
    links.ifPresent(l -> l.world.barrier());
  }

  /** Rank 0 makes something, then the others do. A collective call. */
  public <T> T firstOfRanks(Supplier<T> make) {
    return firstOfRanks(make, make);
  }

  /** Rank 0 makes something; the others wait for it and read it. A collective call. */
  public <T> T firstOfRanks(Supplier<T> make, Supplier<T> read) {
    if (leads()) {
      T made = make.get();
      barrier();
      return made;
    }
    barrier();
    return read.get();
  }

  /** Ends the work of all ranks, which get the reason. */
  public void abort(String reason) {
    links.ifPresent(l -> l.world.abort(reason));
  }

  /**
   * Zeroed memory for sums over the replicas, which the others read in place where they can; empty
   * where there is one replica.
   */
  Optional<MemorySegment> shared(long bytes) {
    return mesh.dp() == 1
        ? Optional.empty()
        : Optional.of(links.orElseThrow().replicas.allocate(bytes));
  }

  /** Begins to sum over the replicas, in ascending order; only where there are several. */
  Handle startSum(Elements data) {
    return links.orElseThrow().replicas.start(new Collective.AllReduce(data, Order.ASCENDING));
  }

  /** Begins to give one replica's data to all; only where there are several. */
  Handle startFrom(Elements data, int replica) {
    return links.orElseThrow().replicas.start(new Collective.Broadcast(data, replica));
  }

  /**
   * Begins to give all replicas what each has; only where there are several.
   *
   * @param all where it goes, replica by replica; this one's own may lie there already
   */
  Handle startGather(Elements mine, Elements all) {
    return links.orElseThrow().replicas.start(new Collective.AllGather(mine, all));
  }

  /**
   * Begins to send to another stage of the same pipeline. Where ranks share a stage's weights, each
   * talks to the one at its own position. All of them have the same hidden states, so that a part
   * from each would do, gathered behind the link; but each layer reduces two of that size among the
   * same ranks, next to which one per stage is little. With sequence parallelism each sends its
   * rows.
   */
  public Handle startSend(Elements data, int stage) {
    return links.orElseThrow().stages.startSend(data, stage);
  }

  /** Begins to receive from another stage of the same pipeline. */
  public Handle startReceive(Elements data, int stage) {
    return links.orElseThrow().stages.startReceive(data, stage);
  }

  /** The number of each rank, by rank. A collective call. */
  public List<Long> gather(long mine) {
    long[] all = new long[mesh.world()];
    all[rank.value()] = mine;
    return Arrays.stream(sum(all)).boxed().toList();
  }

  /** The ranks that share the weights with this one; empty where it has everything. */
  public Optional<ShardGroup> tensorParallel() {
    return mesh.tp() == 1
        ? Optional.empty()
        : Optional.of(new ShardGroup(links.orElseThrow().shares));
  }

  /** Rank 0's number. */
  public long fromLeader(long value) {
    return sum(leads() ? value : 0)[0];
  }

  /** Whether it is true on any rank. */
  public boolean any(boolean here) {
    return sum(here ? 1 : 0)[0] > 0;
  }

  /** The sums over all ranks, element by element. */
  public long[] sum(long... values) {
    if (links.isEmpty() || values.length == 0) {
      return values;
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_LONG, values);
      links.get().world.allReduce(new Elements(ElementType.I64, memory));
      return memory.toArray(ValueLayout.JAVA_LONG);
    }
  }

  /**
   * Begins {@link #sum} in parallel with other work; the sums, once they are there. A collective
   * call.
   */
  public Supplier<long[]> startSum(long... values) {
    if (links.isEmpty() || values.length == 0) {
      return () -> values;
    }
    // of the collector: nobody may ask for the sums of a run that fails
    MemorySegment memory = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_LONG, values);
    Elements data = new Elements(ElementType.I64, memory);
    Handle handle = links.get().world.start(new Collective.AllReduce(data, Order.ASCENDING));
    return () -> {
      handle.await();
      return memory.toArray(ValueLayout.JAVA_LONG);
    };
  }

  /**
   * Puts together a table of which each rank has some elements, and 0 for those that others have:
   * no element is rounded or added.
   */
  public double[] merge(double[] table) {
    return numbers(sum(bits(table)));
  }

  /**
   * Begins {@link #merge} in parallel with other work; the table, once it is there. A collective
   * call.
   */
  Supplier<double[]> startMerge(double[] table) {
    Supplier<long[]> sums = startSum(bits(table));
    return () -> numbers(sums.get());
  }

  private static long[] bits(double[] numbers) {
    return Arrays.stream(numbers).mapToLong(Double::doubleToRawLongBits).toArray();
  }

  private static double[] numbers(long[] bits) {
    return Arrays.stream(bits).mapToDouble(Double::longBitsToDouble).toArray();
  }

  /** Ends when nothing is sent from or received into the memory of these any more. */
  public static void settle(Collection<Handle> handles) {
    for (Handle handle : handles) {
      try {
        handle.await();
      } catch (CommException e) {
        // the job has failed and ends: whoever met the failure first reports it
        System.getLogger(ProcessGroups.class.getName())
            .log(System.Logger.Level.DEBUG, "a transfer was cut short", e);
      }
    }
  }

  @Override
  public void close() {
    links.ifPresent(
        l -> {
          l.shares.close();
          l.stages.close();
          l.replicas.close();
          l.world.close();
          l.transport.ifPresent(Transport::close);
        });
  }
}
