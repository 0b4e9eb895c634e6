package dev.sortie.parallel.comm.transport.shm;

import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/** Ranks that are threads of one JVM. */
public final class ThreadTransport implements Transport {
  private final House house;
  private final GlobalRank rank;
  private boolean closed;

  private ThreadTransport(House house, int rank) {
    this.house = house;
    this.rank = new GlobalRank(rank);
  }

  /** The transports of a job of {@code ranks}, one for each thread. */
  public static List<Transport> world(int ranks) {
    House house = new House(ranks);
    return IntStream.range(0, ranks)
        .<Transport>mapToObj(rank -> new ThreadTransport(house, rank))
        .toList();
  }

  @Override
  public String name() {
    return "threads";
  }

  @Override
  public GlobalRank rank() {
    return rank;
  }

  @Override
  public int world() {
    return house.ranks;
  }

  @Override
  public int neighbours() {
    return house.ranks;
  }

  @Override
  public Endpoint open(String id, Group group, Duration deadline) {
    return new RoomEndpoint(house.room(id, group), group.positionOf(rank).orElseThrow());
  }

  @Override
  public void fail(Failure failure) {
    house.failure.compareAndSet(Optional.empty(), Optional.of(failure));
  }

  @Override
  public Optional<Failure> failure() {
    return house.failure.get();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      house.leave(rank);
    }
  }

  /**
   * What all ranks share. Memory lives until the last rank has left: a slower one may still read.
   */
  private static final class House {
    private final int ranks;
    private final AtomicReference<Optional<Failure>> failure =
        new AtomicReference<>(Optional.empty());
    private final Arena arena = Arena.ofShared();
    private final Map<String, Room> rooms = new HashMap<>();
    private final Set<GlobalRank> left = ConcurrentHashMap.newKeySet();

    House(int ranks) {
      if (ranks < 1) {
        throw new IllegalArgumentException("a job needs at least 1 rank, got " + ranks);
      }
      this.ranks = ranks;
    }

    synchronized Room room(String id, Group group) {
      return rooms.computeIfAbsent(id, name -> new Room(this, group));
    }

    synchronized void leave(GlobalRank rank) {
      left.add(rank);
      if (left.size() == ranks) {
        arena.close();
      }
    }

    synchronized MemorySegment allocate(long bytes) {
      return arena.allocate(bytes, 4096);
    }
  }

  /** What the members of a group share. */
  private static final class Room {
    private final House house;
    private final Group group;
    private final int size;
    private final MemorySegment rings;
    private final Map<Integer, MemorySegment> windows = new HashMap<>();

    Room(House house, Group group) {
      this.house = house;
      this.group = group;
      this.size = group.size();
      this.rings = house.allocate(Rings.bytes(size));
    }

    synchronized MemorySegment window(int index, long bytes) {
      MemorySegment window = windows.computeIfAbsent(index, i -> house.allocate(bytes));
      if (window.byteSize() != bytes) {
        throw new IllegalArgumentException(
            "members of a group asked for "
                + window.byteSize() / size
                + " and for "
                + bytes / size
                + " bytes of shared memory; ask for the same");
      }
      return window;
    }
  }

  private static final class RoomEndpoint extends RingEndpoint {
    private final Room room;

    RoomEndpoint(Room room, int position) {
      super(
          new Rings(room.rings, position, room.size),
          new SharedWindows(position, room.size) {
            @Override
            MemorySegment map(int index, long bytes) {
              return room.window(index, bytes);
            }
          });
      this.room = room;
    }

    @Override
    public boolean hasLeft(int peer) {
      return room.house.left.contains(room.group.ranks().get(peer));
    }

    @Override
    public void close() {
      // The house keeps the memory until all ranks have left.
    }
  }
}
