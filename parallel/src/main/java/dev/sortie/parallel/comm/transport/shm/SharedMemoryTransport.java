package dev.sortie.parallel.comm.transport.shm;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.comm.transport.JoinStatus;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/** Ranks that are processes of one machine and talk through mapped files. */
public final class SharedMemoryTransport implements Transport {
  private static final Path DEV_SHM = Path.of("/dev/shm");

  /** Bytes of private memory read between two looks whether the job has failed. */
  private static final long READ_BYTES = 8L << 20;

  /** How long a rank that cannot join tells those who come later. */
  private static final Duration STAY = Duration.ofSeconds(5);

  private static final long STAY_PARK = 1_000_000;

  private final Options options;
  private final List<GlobalRank> members;
  private final GlobalRank rank;
  private final Arena arena = Arena.ofShared();
  private volatile Optional<Failure> own = Optional.empty();
  private volatile Control control;
  private boolean reads;
  private HeartbeatMonitor watch;
  private boolean closed;

  /**
   * How to join.
   *
   * @param folder for the files, on the same file system for all ranks; see {@link #folder()}
   * @param job a name that no other job on this machine has, and that others cannot guess: letters
   *     and digits
   * @param rank this one
   * @param world number of ranks
   * @param joining longest wait for the other ranks
   * @param silence how long a rank may show no sign of life (it gives ten a second)
   */
  public record Options(
      Path folder, String job, int rank, int world, Duration joining, Duration silence) {
    public Options {
      if (world < 1 || rank < 0 || rank >= world) {
        throw new IllegalArgumentException(
            "a rank must be in [0, world), got rank " + rank + " of world " + world);
      }
      if (!job.matches("[A-Za-z0-9]{1,64}")) {
        throw new IllegalArgumentException(
            "a job's name is 1 to 64 letters and digits, got \"" + job + "\"");
      }
    }

    /** In memory where the system offers it; a minute to join, ten seconds of silence. */
    public static Options of(String job, int rank, int world) {
      return new Options(
          SharedMemoryTransport.folder(),
          job,
          rank,
          world,
          Duration.ofMinutes(1),
          Duration.ofSeconds(10));
    }
  }

  private SharedMemoryTransport(Options options, List<GlobalRank> members) {
    this.options = options;
    this.members = List.copyOf(members);
    this.rank = members.get(options.rank());
  }

  /** {@code /dev/shm} where it can be written, else the folder for temporary files. */
  public static Path folder() {
    return Files.isWritable(DEV_SHM) ? DEV_SHM : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /**
   * Joins a job; returns when all ranks are there.
   *
   * @throws CommException if they do not come in time, or memory is short
   */
  public static SharedMemoryTransport join(Options options) {
    return join(options, IntStream.range(0, options.world()).mapToObj(GlobalRank::new).toList());
  }

  /**
   * Joins the ranks of a larger job that are on this machine; they keep their numbers.
   *
   * @param options rank and world are those among the members
   */
  public static SharedMemoryTransport join(Options options, List<GlobalRank> members) {
    SharedMemoryTransport transport = new SharedMemoryTransport(options, members);
    try {
      transport.enter();
      return transport;
    } catch (RuntimeException | Error e) {
      transport.close();
      throw e;
    }
  }

  /** The file stays until each has written who it is: whoever is missing can be named. */
  private void enter() {
    file().open("control", name(0), ControlLayout.bytes(world()), arena, this::meet);
    watch = new HeartbeatMonitor(this, control, options.silence());
    watch.start();
    reads = new PeerAccess(control, place(), world()).agree(this, options.joining());
  }

  private void meet(MemorySegment file) {
    control = new Control(SharedFile.contents(file));
    control.enter(place(), arena.allocate(Long.BYTES, Long.BYTES));
    List<Integer> ranks = members.stream().map(GlobalRank::value).toList();
    IdleStrategy idle = new IdleStrategy(this, options.joining());
    try {
      while (!allHaveEntered()) {
        lostWhileJoining().ifPresent(this::fail);
        idle.idle(() -> JoinStatus.describe(rank.value(), ranks, this::hasEntered));
      }
    } catch (CommException e) {
      stay();
      throw e;
    }
  }

  /**
   * Keeps the file a little longer for those who have not come yet, so that they read there why
   * there is no job.
   */
  private void stay() {
    long end = System.nanoTime() + Math.min(STAY.toNanos(), options.joining().toNanos());
    while (!allHaveEntered() && System.nanoTime() < end) {
      LockSupport.parkNanos(STAY_PARK);
    }
  }

  private boolean allHaveEntered() {
    return IntStream.range(0, world()).allMatch(this::hasEntered);
  }

  private boolean hasEntered(int member) {
    return control.beatOf(member) != 0;
  }

  /** A member that has died while others are still to come; then the watch will look. */
  private Optional<Failure> lostWhileJoining() {
    return IntStream.range(0, world())
        .filter(i -> hasEntered(i) && control.isGone(i))
        .mapToObj(i -> lost(i, "has died while ranks join"))
        .findFirst();
  }

  /** The failure that a member is lost. */
  Failure lost(int member, String how) {
    return new Failure(
        CommException.Kind.LOST_RANK,
        "rank %d (process %d) %s".formatted(name(member), control.process(member), how));
  }

  /** This rank's number among the members. */
  int place() {
    return options.rank();
  }

  /** The job's number of a member. */
  int name(int member) {
    return members.get(member).value();
  }

  private SharedFile file() {
    JobFiles files = new JobFiles(options.folder(), options.job());
    return new SharedFile(this, files, options.joining());
  }

  private MemorySegment map(String name, int creator, int members, long bytes) {
    return file().open(name, creator, members, bytes, arena);
  }

  @Override
  public String name() {
    return "shared memory";
  }

  @Override
  public GlobalRank rank() {
    return rank;
  }

  @Override
  public int world() {
    return options.world();
  }

  @Override
  public int neighbours() {
    return options.world();
  }

  @Override
  public Endpoint open(String id, Group group, Duration deadline) {
    return new Room(id, group, group.positionOf(rank).orElseThrow());
  }

  @Override
  public void fail(Failure failure) {
    if (own.isEmpty()) {
      own = Optional.of(failure);
    }
    Control shared = control;
    if (shared != null) {
      shared.fail(failure);
    }
  }

  /** The failure that all see, or this rank's own if it could not be published. */
  @Override
  public Optional<Failure> failure() {
    Control shared = control;
    Optional<Failure> seen = shared == null ? Optional.empty() : shared.failure();
    return seen.isPresent() ? seen : own;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      if (control != null) {
        if (watch != null) {
          watch.close();
        }
        control.leave(place());
        own = failure();
        control = null;
      }
      arena.close();
    }
  }

  /** Reads the private memory of another member, which may have ended meanwhile. */
  private void readPrivate(ProcessMemory memory, int member, long address, MemorySegment into) {
    for (long at = 0; at < into.byteSize(); at += READ_BYTES) {
      IdleStrategy.check(this);
      MemorySegment part = into.asSlice(at, Math.min(READ_BYTES, into.byteSize() - at));
      int error = memory.read(control.process(member), address + at, part);
      if (error != 0) {
        IdleStrategy.awaitFailure(this);
        throw failWith(
            new Failure(
                CommException.Kind.LOST_RANK,
                "rank %d cannot read the memory of rank %d (process %d, system error %d)"
                    .formatted(rank.value(), name(member), control.process(member), error)));
      }
    }
  }

  private final class Room extends RingEndpoint {
    private final int[] places;

    Room(String id, Group group, int position) {
      int size = group.size();
      int first = group.ranks().getFirst().value();
      int[] places = group.ranks().stream().mapToInt(members::indexOf).toArray();
      Optional<ProcessMemory> processes = reads ? ProcessMemory.open(arena) : Optional.empty();
      super(
          new Rings(map(id, first, size, Rings.bytes(size)), position, size),
          new SharedWindows(position, size) {
            @Override
            MemorySegment map(int index, long bytes) {
              return SharedMemoryTransport.this.map(id + "-" + index, first, size, bytes);
            }

            @Override
            boolean canReadPrivate() {
              return processes.isPresent();
            }

            @Override
            void readPrivate(int peer, long address, MemorySegment into) {
              SharedMemoryTransport.this.readPrivate(
                  processes.orElseThrow(), places[peer], address, into);
            }
          });
      this.places = places;
    }

    @Override
    public boolean hasLeft(int peer) {
      return control.beatOf(places[peer]) == ControlLayout.LEFT;
    }

    @Override
    public void close() {
      // Mappings stay until the transport is closed: a slower call of another thread may read them.
    }
  }
}
