package dev.sortie.parallel.comm.transport.tcp;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.comm.transport.JoinStatus;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * How ranks that only know rank 0's address find each other: all join there, then rank 0 tells all
 * where all listen, or why they cannot begin.
 */
final class Rendezvous implements AutoCloseable {
  /**
   * How long rank 0 keeps taking ranks after the job has failed, to tell them why. Shorter than the
   * grace that a launcher gives.
   */
  private static final long LATE_NANOS = 5_000_000_000L;

  private static final long LATE_PARK = 1_000_000;

  private final TcpTransport transport;
  private final TcpTransport.Options options;
  private final Handshake handshake;
  private final Connector connector;
  private Listener listener;

  Rendezvous(
      TcpTransport transport,
      TcpTransport.Options options,
      Handshake handshake,
      Connector connector) {
    this.transport = transport;
    this.options = options;
    this.handshake = handshake;
    this.connector = connector;
  }

  /** Takes the connections of this rank's peers; there is one after the ranks have met. */
  Listener listener() {
    return listener;
  }

  /**
   * Meets the others: rank 0 all of them, they rank 0. Each of these connections is a control
   * connection at once, so that a rank that is lost while others are still to come is named to all.
   *
   * @param addresses gets where each rank listens
   */
  void meet(InetSocketAddress[] addresses) throws IOException {
    if (options.rank() == 0) {
      host(addresses);
    } else {
      TcpControl host = transport.control(0, join());
      awaitAddresses(host, addresses);
    }
  }

  private void host(InetSocketAddress[] addresses) throws IOException {
    long end = System.nanoTime() + options.joining().toNanos();
    listener = new Listener(options.master(), handshake, options.tls(), options.world());
    try {
      awaitAll(addresses);
    } catch (CommException e) {
      tellTheLate(addresses, end);
      throw e;
    }
    transport.tellAddresses();
  }

  private void awaitAll(InetSocketAddress[] addresses) throws IOException {
    IdleStrategy idle = new IdleStrategy(transport, options.joining());
    List<Integer> ranks = IntStream.range(0, addresses.length).boxed().toList();
    while (!haveAllCome(addresses)) {
      if (!takeAny(addresses)) {
        idle.idle(() -> JoinStatus.describe(0, ranks, i -> i == 0 || addresses[i] != null));
      }
    }
    IdleStrategy.check(transport);
  }

  private static boolean haveAllCome(InetSocketAddress[] addresses) {
    return Arrays.stream(addresses).skip(1).allMatch(Objects::nonNull);
  }

  /** Takes those that have come; whether there were some. */
  private boolean takeAny(InetSocketAddress[] addresses) throws IOException {
    boolean some = false;
    for (int peer = 1; peer < addresses.length; peer++) {
      Map.Entry<Hello, Connection> joined =
          addresses[peer] == null ? listener.takeJoining(peer) : null;
      if (joined != null) {
        Connection connection = joined.getValue();
        InetSocketAddress seen = (InetSocketAddress) connection.socket().getRemoteAddress();
        transport.control(peer, connection);
        int port = joined.getKey().stream();
        if (!Connector.isPort(port)) {
          throw transport.failWith(
              new Failure(
                  CommException.Kind.ABORTED,
                  "rank %d joined from %s and says that it listens on port %d, expected 1 to 65535; start the same version on all ranks"
                      .formatted(peer, seen, port)));
        }
        addresses[peer] = new InetSocketAddress(seen.getAddress(), port);
        some = true;
      }
    }
    return some;
  }

  /** Whoever comes after the failure would look for rank 0 in vain and not know why. */
  private void tellTheLate(InetSocketAddress[] addresses, long end) throws IOException {
    long last = Math.min(end, System.nanoTime() + LATE_NANOS);
    while (!haveAllCome(addresses) && System.nanoTime() < last) {
      if (!takeAny(addresses)) {
        LockSupport.parkNanos(LATE_PARK);
      }
    }
  }

  /** Longer than rank 0's own idle, which says whom it waits for. */
  private void awaitAddresses(TcpControl host, InetSocketAddress[] addresses) {
    IdleStrategy idle = new IdleStrategy(transport, options.joining().plusMillis(Connector.MILLIS));
    Optional<InetSocketAddress[]> told;
    while ((told = host.addresses()).isEmpty()) {
      idle.idle(
          () ->
              "rank %d waits for rank 0 to say where the others listen".formatted(options.rank()));
    }
    System.arraycopy(told.get(), 0, addresses, 0, addresses.length);
    addresses[0] = options.master();
  }

  /**
   * Rank 0 may not listen yet, and what is in between (a proxy, a service that has no rank yet) may
   * take the connection and end it.
   */
  private Connection join() throws IOException {
    InetSocketAddress named = options.master();
    IdleStrategy idle = new IdleStrategy(transport, options.joining());
    while (true) {
      String trouble;
      try {
        SocketChannel socket =
            Connector.connect(new InetSocketAddress(named.getHostString(), named.getPort()));
        InetSocketAddress here = (InetSocketAddress) socket.getLocalAddress();
        if (listener == null) {
          InetSocketAddress anyPort = new InetSocketAddress(here.getAddress(), 0);
          listener = new Listener(anyPort, handshake, options.tls(), options.world());
        }
        Hello hello = new Hello(Hello.Purpose.JOIN, options.rank(), listener.port(), "");
        return connector.say(socket, hello);
      } catch (Handshake.RefusedException e) {
        throw e;
      } catch (IOException e) {
        trouble = e.getMessage() == null ? "the connection ended" : e.getMessage();
      }
      idle.idle(
          () -> "rank %d waits for rank 0 at %s (%s)".formatted(options.rank(), named, trouble));
    }
  }

  @Override
  public void close() {
    if (listener != null) {
      listener.close();
    }
  }
}
