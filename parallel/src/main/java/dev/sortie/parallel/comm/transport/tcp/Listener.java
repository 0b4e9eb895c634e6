package dev.sortie.parallel.comm.transport.tcp;

import static java.lang.System.Logger.Level.DEBUG;
import static java.lang.System.Logger.Level.WARNING;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Takes connections of this job's ranks and keeps them until they are asked for. Those that do not
 * prove themselves are closed and logged; each costs a thread for some seconds.
 */
final class Listener implements AutoCloseable {
  private static final int SWEEP_MILLIS = 250;
  private static final long FULL_NANOS = 100_000_000;
  private static final System.Logger LOG = System.getLogger(Listener.class.getName());

  private final ServerSocketChannel server;
  private final Handshake handshake;
  private final Optional<Tls> tls;
  private final PendingConnections pending;
  private final Set<Hello> admitted = ConcurrentHashMap.newKeySet();
  private final Map<Hello, Connection> waiting = new ConcurrentHashMap<>();

  /** Links that nobody has taken; empty once this is closed. */
  private final BlockingQueue<Optional<Connection>> links = new LinkedBlockingQueue<>();

  private final CountDownLatch closed = new CountDownLatch(1);

  Listener(InetSocketAddress address, Handshake handshake, Optional<Tls> tls, int world)
      throws IOException {
    this(address, handshake, tls, new PendingConnections(world, line -> LOG.log(WARNING, line)));
  }

  Listener(
      InetSocketAddress address, Handshake handshake, Optional<Tls> tls, PendingConnections pending)
      throws IOException {
    this.handshake = handshake;
    this.tls = tls;
    this.pending = pending;
    this.server = ServerSocketChannel.open();
    server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
    server.bind(address, 256);
    Thread.ofPlatform().daemon().name("sortie-listener").start(this::accept);
    Thread.ofVirtual().start(this::sweep);
  }

  int port() throws IOException {
    return ((InetSocketAddress) server.getLocalAddress()).getPort();
  }

  private void accept() {
    while (closed.getCount() > 0) {
      try {
        SocketChannel socket = server.accept();
        pending.enter(socket);
        Thread.ofVirtual().start(() -> admit(socket));
      } catch (AsynchronousCloseException e) {
        return;
      } catch (IOException e) {
        if (closed.getCount() > 0) {
          LOG.log(WARNING, "a connection could not be taken: " + e.getMessage());
          LockSupport.parkNanos(FULL_NANOS); // such as too many open files: it lasts a while
        }
      }
    }
  }

  private void sweep() {
    try {
      while (!closed.await(SWEEP_MILLIS, TimeUnit.MILLISECONDS)) {
        pending.sweep();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void admit(SocketChannel socket) {
    try {
      Connector.sendAtOnce(socket);
      Connection connection = Tls.answering(tls, socket);
      Handshake.Proven caller = handshake.answer(connection.in(), connection.out());
      boolean link = caller.hello().purpose() == Hello.Purpose.LINK;
      if (!link && !admitted.add(caller.hello())) {
        throw new IOException(caller.hello() + " is there already");
      }
      if (!welcome(connection, caller)) {
        admitted.remove(caller.hello()); // it may come again
      }
    } catch (IOException e) {
      pending.refuse(socket, e);
    }
  }

  /** Sends the welcome first: whoever takes the socket changes its mode. */
  private boolean welcome(Connection connection, Handshake.Proven caller) {
    if (!pending.leave(connection.socket())) {
      return false;
    }
    try {
      caller.welcome(connection.out());
    } catch (IOException e) {
      LOG.log(DEBUG, () -> caller.hello() + " has gone again: " + e.getMessage());
      PendingConnections.close(connection.socket());
      return false;
    }
    if (caller.hello().purpose() == Hello.Purpose.LINK) {
      links.add(Optional.of(connection));
    } else {
      waiting.put(caller.hello(), connection);
    }
    if (closed.getCount() == 0) {
      PendingConnections.close(connection.socket());
    }
    return true;
  }

  /** The connection that said {@code hello}, or null while it has not come. */
  Connection take(Hello hello) {
    return waiting.remove(hello);
  }

  /** Waits for the next link; empty if this is closed. */
  Optional<Connection> takeLink() throws InterruptedException {
    Optional<Connection> next = links.take();
    if (next.isEmpty()) {
      links.add(next); // for others that wait
    }
    return next;
  }

  /** The connection of a rank that joins, whatever its port, or null; and what it said. */
  Map.Entry<Hello, Connection> takeJoining(int rank) {
    for (Map.Entry<Hello, Connection> entry : waiting.entrySet()) {
      Hello hello = entry.getKey();
      if (hello.purpose() == Hello.Purpose.JOIN && hello.rank() == rank) {
        waiting.remove(hello);
        return entry;
      }
    }
    return null;
  }

  @Override
  public void close() {
    closed.countDown();
    waiting.values().forEach(connection -> PendingConnections.close(connection.socket()));
    links.forEach(link -> link.ifPresent(c -> PendingConnections.close(c.socket())));
    links.add(Optional.empty());
    pending.close();
    try {
      server.close();
    } catch (IOException e) {
      LOG.log(DEBUG, () -> "closing the listener: " + e.getMessage());
    }
  }
}
