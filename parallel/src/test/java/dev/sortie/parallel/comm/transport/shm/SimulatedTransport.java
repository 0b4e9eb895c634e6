package dev.sortie.parallel.comm.transport.shm;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.SharedMemory;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A transport whose every decision is the seed's: how many bytes are taken at a time, when they
 * arrive, when which rank learns of a failure or of a death.
 */
final class SimulatedTransport implements Transport {
  private final Network network;
  private final int rank;

  private SimulatedTransport(Network network, int rank) {
    this.network = network;
    this.rank = rank;
  }

  /**
   * @param shared whether ranks also see common memory
   */
  static List<Transport> world(Simulation simulation, int ranks, boolean shared, Arena arena) {
    Network network = new Network(simulation, ranks, shared, arena);
    List<Transport> all = new ArrayList<>();
    for (int i = 0; i < ranks; i++) {
      all.add(new SimulatedTransport(network, i));
    }
    return all;
  }

  /** What all ranks share. Only the rank whose turn it is touches it. */
  private static final class Network {
    private static final int LONGEST_DELAY = 40;

    private final Simulation simulation;
    private final int ranks;
    private final boolean shared;
    private final Arena arena;
    private final Map<String, Stream> streams = new HashMap<>();
    private final Map<String, MemorySegment> windows = new HashMap<>();
    private final boolean[] left;
    private final long[] hears;
    private Failure failure;

    Network(Simulation simulation, int ranks, boolean shared, Arena arena) {
      this.simulation = simulation;
      this.ranks = ranks;
      this.shared = shared;
      this.arena = arena;
      this.left = new boolean[ranks];
      this.hears = new long[ranks];
    }

    void step(int rank) {
      try {
        simulation.step(rank);
      } catch (Simulation.Crash e) {
        fail(
            new Failure(CommException.Kind.LOST_RANK, "rank " + rank + " has died in a test"),
            rank);
        throw e;
      }
    }

    /** Others learn of it later, each at a time of its own. */
    void fail(Failure first, int by) {
      if (failure == null) {
        failure = first;
        for (int i = 0; i < ranks; i++) {
          hears[i] = simulation.now() + (i == by ? 0 : simulation.choose(LONGEST_DELAY));
        }
      }
    }

    Stream stream(String id, GlobalRank from, GlobalRank to) {
      return streams.computeIfAbsent(
          id + " " + from.value() + " " + to.value(), name -> new Stream(simulation));
    }
  }

  /** Bytes on the way from one rank to another, in order. */
  private static final class Stream {
    private static final long LONG = 16 << 10;

    private final Simulation simulation;
    private final int capacity;
    private final Deque<Piece> pieces = new ArrayDeque<>();
    private long bytes;
    private long lastArrival;

    Stream(Simulation simulation) {
      this.simulation = simulation;
      this.capacity = 1 << (6 + simulation.choose(8));
    }

    /** Long ones, as of the speed test, go in one piece: in crumbs they would fill all steps. */
    long put(MemorySegment from, long at) {
      long left = from.byteSize() - at;
      long room = left > LONG ? left : Math.min(capacity - bytes, left);
      if (room <= 0 || simulation.choose(4) == 0) {
        return 0;
      }
      long taken =
          room > LONG || simulation.choose(2) == 0 ? room : 1 + simulation.choose((int) room);
      byte[] copy = from.asSlice(at, taken).toArray(ValueLayout.JAVA_BYTE);
      lastArrival = Math.max(lastArrival, simulation.now() + simulation.choose(20));
      pieces.add(new Piece(copy, lastArrival));
      bytes += taken;
      return taken;
    }

    long take(MemorySegment into, long at) {
      Piece piece = pieces.peek();
      if (piece == null || piece.arrival > simulation.now()) {
        return 0;
      }
      long n = Math.min(piece.bytes.length - piece.read, into.byteSize() - at);
      MemorySegment.copy(MemorySegment.ofArray(piece.bytes), piece.read, into, at, n);
      piece.read += (int) n;
      if (piece.read == piece.bytes.length) {
        pieces.remove();
      }
      bytes -= n;
      return n;
    }

    boolean isEmpty() {
      return pieces.isEmpty();
    }
  }

  private static final class Piece {
    private final byte[] bytes;
    private final long arrival;
    private int read;

    Piece(byte[] bytes, long arrival) {
      this.bytes = bytes;
      this.arrival = arrival;
    }
  }

  @Override
  public String name() {
    return "simulated";
  }

  @Override
  public GlobalRank rank() {
    return new GlobalRank(rank);
  }

  @Override
  public int world() {
    return network.ranks;
  }

  @Override
  public int neighbours() {
    return Integer.MAX_VALUE; // to spin would be in vain: one runs at a time
  }

  @Override
  public Endpoint open(String id, Group group, Duration deadline) {
    network.step(rank);
    return new Room(id, group);
  }

  @Override
  public void fail(Failure first) {
    network.fail(first, rank);
  }

  @Override
  public Optional<Failure> failure() {
    network.step(rank);
    return network.failure != null && network.hears[rank] <= network.simulation.now()
        ? Optional.of(network.failure)
        : Optional.empty();
  }

  /** Who leaves after a failure has told all others of it. */
  @Override
  public void close() {
    network.left[rank] = true;
    if (network.failure != null && network.hears[rank] <= network.simulation.now()) {
      for (int i = 0; i < network.ranks; i++) {
        network.hears[i] = Math.min(network.hears[i], network.simulation.now());
      }
    }
  }

  private final class Room implements Endpoint {
    private final String id;
    private final Group group;
    private final SharedWindows windows;

    Room(String id, Group group) {
      this.id = id;
      this.group = group;
      this.windows =
          new SharedWindows(group.positionOf(rank()).orElseThrow(), group.size()) {
            @Override
            MemorySegment map(int index, long bytes) {
              return network.windows.computeIfAbsent(
                  id + " " + index, name -> network.arena.allocate(bytes, 4096));
            }
          };
    }

    @Override
    public long send(int to, MemorySegment from, long at) {
      network.step(rank);
      return network.stream(id, rank(), group.ranks().get(to)).put(from, at);
    }

    @Override
    public long receive(int from, MemorySegment into, long at) {
      network.step(rank);
      return network.stream(id, group.ranks().get(from), rank()).take(into, at);
    }

    @Override
    public boolean hasLeft(int peer) {
      network.step(rank);
      GlobalRank other = group.ranks().get(peer);
      return network.left[other.value()] && network.stream(id, other, rank()).isEmpty();
    }

    @Override
    public Optional<SharedMemory> shared() {
      return network.shared ? Optional.of(windows) : Optional.empty();
    }

    @Override
    public void close() {
      // nothing is held
    }
  }
}
