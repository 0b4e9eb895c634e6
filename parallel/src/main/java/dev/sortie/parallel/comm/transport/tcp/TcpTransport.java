package dev.sortie.parallel.comm.transport.tcp;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Ranks on any machines that talk over TCP. All ranks meet at rank 0's address; then each pair has
 * a control connection, and several data connections in each group. Every connection begins with
 * the proof of a shared secret; nothing is encrypted unless there is {@link Tls}.
 */
public final class TcpTransport implements Transport {
  /** Sockets a pair: while the system works on one, the next chunk goes into another. */
  private static final int STREAMS = 2;

  private final Options options;
  private final Connector connector;
  private final Rendezvous rendezvous;
  private final AtomicReference<Optional<Failure>> failure =
      new AtomicReference<>(Optional.empty());
  private final AtomicReferenceArray<TcpControl> controls;
  private final InetSocketAddress[] addresses;
  private final CountDownLatch closed = new CountDownLatch(1);

  /**
   * How to join.
   *
   * @param master where rank 0 listens
   * @param rank this one
   * @param world number of ranks
   * @param secret what only the ranks of this job know, 16 bytes and more
   * @param generation number of this start of the job
   * @param joining longest wait for the other ranks
   * @param silence how long a rank may show no sign of life
   * @param tls for all connections, if all ranks have it
   */
  public record Options(
      InetSocketAddress master,
      int rank,
      int world,
      byte[] secret,
      int generation,
      Duration joining,
      Duration silence,
      Optional<Tls> tls) {
    public Options {
      secret = secret.clone();
      if (world < 1 || rank < 0 || rank >= world) {
        throw new IllegalArgumentException(
            "a rank must be in [0, world), got rank " + rank + " of world " + world);
      }
      if (secret.length < 16) {
        throw new IllegalArgumentException(
            "the secret of a job needs at least 16 bytes, got " + secret.length);
      }
    }

    /** Without TLS. */
    public Options(
        InetSocketAddress master,
        int rank,
        int world,
        byte[] secret,
        int generation,
        Duration joining,
        Duration silence) {
      this(master, rank, world, secret, generation, joining, silence, Optional.empty());
    }

    /** A minute to join, ten seconds of silence. */
    public static Options of(InetSocketAddress master, int rank, int world, byte[] secret) {
      return new Options(
          master, rank, world, secret, 0, Duration.ofMinutes(1), Duration.ofSeconds(10));
    }
  }

  private TcpTransport(Options options) {
    this.options = options;
    Handshake handshake = new Handshake(options.secret(), options.world(), options.generation());
    this.connector = new Connector(handshake, options.tls());
    this.rendezvous = new Rendezvous(this, options, handshake, connector);
    this.controls = new AtomicReferenceArray<>(options.world());
    this.addresses = new InetSocketAddress[options.world()];
  }

  /**
   * Joins a job; returns when all ranks are there.
   *
   * @throws CommException if they do not come in time, or this one is not let in
   */
  public static TcpTransport join(Options options) {
    TcpTransport transport = new TcpTransport(options);
    try {
      transport.meet();
      return transport;
    } catch (IOException e) {
      CommException why = transport.cannotJoin(e);
      transport.close();
      throw why;
    } catch (CommException e) {
      transport.close();
      throw transport.whileJoining(e);
    } catch (RuntimeException | Error e) {
      transport.fail(
          new Failure(
              CommException.Kind.ABORTED,
              "rank %d gives up while it joins: %s".formatted(options.rank(), e)));
      transport.close();
      throw e;
    }
  }

  private CommException cannotJoin(IOException e) {
    return whileJoining(
        broken(
            new Failure(
                CommException.Kind.LOST_RANK,
                "rank %d of %d cannot join at %s: %s"
                    .formatted(
                        options.rank(), options.world(), options.master(), e.getMessage()))));
  }

  /** The failure, with what this rank was doing. */
  private CommException whileJoining(CommException e) {
    return e.getMessage().contains(" join")
        ? e
        : new CommException(
            e.kind(), "%s; rank %d was joining".formatted(e.getMessage(), options.rank()), e);
  }

  private void meet() throws IOException {
    Thread.ofPlatform().daemon().name("sortie-beat-" + options.rank()).start(this::beat);
    rendezvous.meet(addresses);
    for (int peer = 0; peer < world(); peer++) {
      if (peer != options.rank() && controls.get(peer) == null) {
        control(peer, pair(peer, Hello.Purpose.CONTROL, 0, "", options.joining()));
      }
    }
  }

  /**
   * From now on the peer's signs of life, its failures and its end are seen, and it is told what
   * has failed here, before or later.
   */
  TcpControl control(int peer, Connection connection) throws IOException {
    TcpControl control = new TcpControl(this, peer, connection, options.silence());
    controls.set(peer, control);
    failure().ifPresent(control::fail);
    return control;
  }

  /** Says to all where all listen. */
  void tellAddresses() {
    controls().forEach(control -> control.tell(addresses));
  }

  private Stream<TcpControl> controls() {
    return IntStream.range(0, world()).mapToObj(controls::get).filter(Objects::nonNull);
  }

  /**
   * A connection has broken: the rank that ended it may have said why on another one; if not,
   * {@code own} is the failure.
   */
  CommException broken(Failure own) {
    IdleStrategy.awaitFailure(this);
    return failWith(own);
  }

  /** A connection of a pair: the later rank opens it, the earlier one takes it. */
  private Connection pair(int peer, Hello.Purpose purpose, int stream, String id, Duration deadline)
      throws IOException {
    if (peer < options.rank()) {
      try {
        return connector.call(addresses[peer], new Hello(purpose, options.rank(), stream, id));
      } catch (IOException e) {
        throw new IOException("rank " + peer + " does not answer: " + e.getMessage(), e);
      }
    }
    Hello expected = new Hello(purpose, peer, stream, id);
    IdleStrategy idle = new IdleStrategy(this, deadline);
    Connection connection;
    while ((connection = rendezvous.listener().take(expected)) == null) {
      idle.idle(() -> "rank %d waits for rank %d to connect".formatted(options.rank(), peer));
    }
    return connection;
  }

  private void beat() {
    long period = Math.max(1, options.silence().toMillis() / 8);
    try {
      while (!closed.await(period, TimeUnit.MILLISECONDS)) {
        controls().forEach(TcpControl::beat);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String name() {
    return options.tls().isPresent() ? "TCP, TLS 1.3" : "TCP";
  }

  @Override
  public GlobalRank rank() {
    return new GlobalRank(options.rank());
  }

  @Override
  public int world() {
    return options.world();
  }

  /** Ranks whose address is this rank's own; all, while addresses are not known. */
  @Override
  public int neighbours() {
    InetSocketAddress here = options.rank() == 0 ? options.master() : addresses[options.rank()];
    if (here == null) {
      return options.world();
    }
    int neighbours = 1;
    for (int i = 0; i < addresses.length; i++) {
      InetSocketAddress other = i == options.rank() ? null : addresses[i];
      if (other != null && here.getAddress().equals(other.getAddress())) {
        neighbours++;
      }
    }
    return neighbours;
  }

  boolean hasLeft(int peer) {
    return controls.get(peer).hasLeft();
  }

  @Override
  public Endpoint open(String id, Group group, Duration deadline) {
    return open(id, group, deadline, Set.of());
  }

  /**
   * As {@link #open(String, Group, Duration)}.
   *
   * @param others members to and from which no bytes are moved here
   */
  public Endpoint open(String id, Group group, Duration deadline, Set<GlobalRank> others) {
    Connection[][] connections = new Connection[group.size()][];
    List<Connection> opened = new ArrayList<>();
    boolean complete = false;
    try {
      for (int i = 0; i < group.size(); i++) {
        int peer = group.ranks().get(i).value();
        boolean here = peer == options.rank() || others.contains(group.ranks().get(i));
        connections[i] = new Connection[here ? 0 : STREAMS];
        for (int stream = 0; stream < connections[i].length; stream++) {
          Connection connection = pair(peer, Hello.Purpose.STREAM, stream, id, deadline);
          opened.add(connection);
          connection.socket().configureBlocking(false);
          connections[i][stream] = connection;
        }
      }
      complete = true;
      return new TcpEndpoint(this, group, connections);
    } catch (IOException e) {
      throw broken(
          new Failure(
              CommException.Kind.LOST_RANK,
              "rank %d cannot connect to its group %s: %s"
                  .formatted(options.rank(), group, e.getMessage())));
    } finally {
      if (!complete) {
        opened.forEach(this::close);
      }
    }
  }

  @Override
  public void fail(Failure first) {
    if (failure.compareAndSet(Optional.empty(), Optional.of(first))) {
      controls().forEach(control -> control.fail(first));
    }
  }

  @Override
  public Optional<Failure> failure() {
    return failure.get();
  }

  void close(Connection connection) {
    try {
      connection.close();
    } catch (IOException e) {
      fail(new Failure(CommException.Kind.CLOSED, "a socket cannot be closed: " + e.getMessage()));
    }
  }

  @Override
  public void close() {
    closed.countDown();
    controls().forEach(TcpControl::close);
    rendezvous.close();
  }
}
