package dev.sortie.parallel.comm.transport.mpi;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.mpi.MpiNotices.Notice;
import dev.sortie.parallel.comm.transport.mpi.MpiNotices.Type;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Ranks that an MPI launcher has started and that talk through its library: bytes only, sums are
 * made here as over every transport. Once in a process, for MPI starts and ends but once.
 *
 * <p>All calls return at once and are asked again, so that deadlines and failures of other ranks
 * are seen. A job that has failed is not ended with MPI_Finalize, which would wait for the lost
 * rank: the processes end with an exit code that is not 0, and the launcher ends the rest.
 */
public final class MpiTransport implements Transport {
  private static final Duration PERIOD = Duration.ofMillis(2);

  /** Tags that every library allows end at 32767; 0 and 1 are not for groups. */
  private static final int FIRST_TAG = 2;

  private static final int LAST_TAG = 32767;
  private static final long TELLING_NANOS = 1_000_000_000;
  private static final System.Logger LOG = System.getLogger(MpiTransport.class.getName());

  private final MpiLibrary mpi;
  private final int rank;
  private final int world;
  private final Duration allowed;
  private final Duration betweenBeats;
  private final Arena arena = Arena.global(); // the library may touch it as long as it lives
  private final MpiNotices notices;
  private final AtomicReference<Optional<Failure>> failure =
      new AtomicReference<>(Optional.empty());
  private final Map<String, Integer> tags = new ConcurrentHashMap<>();
  private final boolean[] left;
  private final PeerSilence silence;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;
  private int groups;

  private MpiTransport(MpiLibrary mpi, Duration allowed) {
    this.mpi = mpi;
    this.allowed = allowed;
    this.betweenBeats = allowed.dividedBy(8);
    this.rank = mpi.rank();
    this.world = mpi.world();
    this.left = new boolean[world];
    this.silence = new PeerSilence(world, betweenBeats, System.nanoTime());
    this.notices = new MpiNotices(mpi, rank, world, arena);
    this.thread = Thread.ofPlatform().daemon().name("sortie-mpi-" + rank).unstarted(this::watch);
  }

  /**
   * Starts MPI; returns when all ranks have.
   *
   * @param library its file; see {@link MpiFiles}
   * @param silence how long a rank may show no sign of life
   * @throws dev.sortie.nn.InputException if the library cannot be used
   */
  public static MpiTransport join(Path library, Duration silence) {
    Objects.requireNonNull(silence, "silence");
    MpiLibrary mpi = MpiLibrary.open(library);
    mpi.start();
    MpiTransport transport = new MpiTransport(mpi, silence);
    transport.thread.start();
    return transport;
  }

  /**
   * What a library says of itself, and the kind of its ABI. Does not start it.
   *
   * @throws dev.sortie.nn.InputException if it cannot be used
   */
  public static String describe(Path library) {
    MpiLibrary mpi = MpiLibrary.open(library);
    return mpi.version() + " (" + mpi.abi().name() + ")";
  }

  MpiLibrary mpi() {
    return mpi;
  }

  Arena buffers() {
    return arena;
  }

  @Override
  public String name() {
    return "MPI";
  }

  @Override
  public GlobalRank rank() {
    return new GlobalRank(rank);
  }

  @Override
  public int world() {
    return world;
  }

  /** All: MPI is asked for nothing that would tell. */
  @Override
  public int neighbours() {
    return world;
  }

  /**
   * The first member takes a tag that none of its groups had, out of its share of all tags, and
   * tells it to the others.
   */
  @Override
  public Endpoint open(String id, Group group, Duration deadline) {
    int first = group.ranks().getFirst().value();
    if (first == rank) {
      int tag = nextTag();
      for (GlobalRank member : group.ranks()) {
        if (member.value() != rank) {
          notices.send(member.value(), new Notice(Type.GROUP, tag + " " + id));
        }
      }
      return new MpiEndpoint(this, group, deadline, tag);
    }
    IdleStrategy idle = new IdleStrategy(this, deadline);
    while (!tags.containsKey(id)) {
      idle.idle(
          () -> "rank %d waits for rank %d to open the group %s".formatted(rank, first, group));
    }
    return new MpiEndpoint(this, group, deadline, tags.remove(id));
  }

  private synchronized int nextTag() {
    int share = (LAST_TAG - FIRST_TAG + 1) / world;
    if (groups == share) {
      throw new IllegalStateException(
          "rank %d has opened %d groups, as many as MPI has tags for".formatted(rank, groups));
    }
    return FIRST_TAG + rank * share + groups++;
  }

  boolean hasLeft(int peer) {
    synchronized (left) {
      return left[peer];
    }
  }

  /** Ends the job because the library refused a call. */
  CommException broken(int peer, MpiLibrary.MpiException e) {
    return failWith(
        new Failure(
            CommException.Kind.LOST_RANK,
            "rank %d cannot talk to rank %d: %s".formatted(rank, peer, e.getMessage())));
  }

  @Override
  public void fail(Failure first) {
    if (failure.compareAndSet(Optional.empty(), Optional.of(first))) {
      try {
        notices.sendToAll(new Notice(Type.FAILURE, first.kind(), first.reason()));
      } catch (MpiLibrary.MpiException e) {
        LOG.log(System.Logger.Level.DEBUG, "others find out by the silence", e);
      }
    }
  }

  @Override
  public Optional<Failure> failure() {
    return failure.get();
  }

  private void watch() {
    long beat = System.nanoTime() - betweenBeats.toNanos();
    try {
      while (!closed.await(PERIOD.toMillis(), TimeUnit.MILLISECONDS)) {
        long now = System.nanoTime();
        silence.turn(now);
        if (now - beat > betweenBeats.toNanos()) {
          notices.sendToAll(new Notice(Type.BEAT, ""));
          beat = now;
        }
        notices.poll(this::read);
        failIfSilent();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody interrupts but a JVM that ends
    } catch (MpiLibrary.MpiException e) {
      fail(new Failure(CommException.Kind.LOST_RANK, "rank " + rank + ": " + e.getMessage()));
    }
  }

  private void read(int peer, Notice notice) {
    silence.heard(peer);
    switch (notice.type()) {
      case BEAT -> {}
      case FAILURE -> fail(new Failure(notice.kind(), notice.text()));
      case FAREWELL -> {
        synchronized (left) {
          left[peer] = true;
        }
      }
      case GROUP -> {
        int space = notice.text().indexOf(' ');
        tags.put(
            notice.text().substring(space + 1),
            Integer.parseInt(notice.text().substring(0, space)));
      }
    }
  }

  private void failIfSilent() {
    for (int peer = 0; peer < world; peer++) {
      Duration quiet = silence.of(peer);
      if (peer != rank && quiet.compareTo(allowed) > 0 && !hasLeft(peer)) {
        fail(
            new Failure(
                CommException.Kind.LOST_RANK,
                "rank %d has shown no sign of life for %d ms".formatted(peer, quiet.toMillis())));
      }
    }
  }

  /** Waits until all ranks come here; in a job that has failed, until the others know. */
  @Override
  public void close() {
    if (closed.getCount() == 0) {
      return;
    }
    if (failure().isEmpty()) {
      notices.sendToAll(new Notice(Type.FAREWELL, ""));
    }
    while (failure().isEmpty() && !(allHaveLeft() && notices.isFlushed())) {
      LockSupport.parkNanos(PERIOD.toNanos());
    }
    long end = System.nanoTime() + TELLING_NANOS;
    while (failure().isPresent() && !notices.isFlushed() && System.nanoTime() < end) {
      LockSupport.parkNanos(PERIOD.toNanos());
    }
    closed.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (failure().isEmpty()) {
      notices.close();
      mpi.end();
    }
  }

  private boolean allHaveLeft() {
    for (int peer = 0; peer < world; peer++) {
      if (peer != rank && !hasLeft(peer)) {
        return false;
      }
    }
    return true;
  }
}
