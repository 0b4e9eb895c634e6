package dev.sortie.parallel.comm.transport;

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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Takes connections of this job's ranks and keeps them until they are asked for. Strangers are
 * closed and logged; they cost a thread for some seconds and disturb nobody.
 */
final class Listener implements AutoCloseable {
  private static final int SWEEP_MILLIS = 250;
  private static final long FULL_NANOS = 100_000_000;
  private static final System.Logger LOG = System.getLogger(Listener.class.getName());

  private final ServerSocketChannel server;
  private final Handshake handshake;
  private final Optional<Tls> tls;
  private final Strangers strangers;
  private final Set<Hello> admitted = ConcurrentHashMap.newKeySet();
  private final Map<Hello, Wire> waiting = new ConcurrentHashMap<>();
  private final CountDownLatch closed = new CountDownLatch(1);

  Listener(InetSocketAddress address, Handshake handshake, Optional<Tls> tls, int world)
      throws IOException {
    this(address, handshake, tls, new Strangers(world, line -> LOG.log(WARNING, line)));
  }

  Listener(InetSocketAddress address, Handshake handshake, Optional<Tls> tls, Strangers strangers)
      throws IOException {
    this.handshake = handshake;
    this.tls = tls;
    this.strangers = strangers;
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
        strangers.enter(socket);
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
        strangers.sweep();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void admit(SocketChannel socket) {
    try {
      Caller.sendAtOnce(socket);
      Wire wire = Tls.answering(tls, socket);
      Handshake.Proven caller = handshake.answer(wire.in(), wire.out());
      if (!admitted.add(caller.hello())) {
        throw new IOException(caller.hello() + " is there already");
      }
      if (!welcome(wire, caller)) {
        admitted.remove(caller.hello()); // it may come again
      }
    } catch (IOException e) {
      strangers.refuse(socket, e);
    }
  }

  /** Tells it so first: who takes the socket changes its mode. */
  private boolean welcome(Wire wire, Handshake.Proven caller) {
    if (!strangers.leave(wire.socket())) {
      return false;
    }
    try {
      caller.welcome(wire.out());
    } catch (IOException e) {
      LOG.log(DEBUG, () -> caller.hello() + " has gone again: " + e.getMessage());
      Strangers.close(wire.socket());
      return false;
    }
    waiting.put(caller.hello(), wire);
    if (closed.getCount() == 0) {
      Strangers.close(wire.socket());
    }
    return true;
  }

  /** The connection that said {@code hello}, or null while it has not come. */
  Wire take(Hello hello) {
    return waiting.remove(hello);
  }

  /** The connection of a rank that joins, whatever its port, or null; and what it said. */
  Map.Entry<Hello, Wire> takeJoining(int rank) {
    for (Map.Entry<Hello, Wire> entry : waiting.entrySet()) {
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
    waiting.values().forEach(wire -> Strangers.close(wire.socket()));
    strangers.close();
    try {
      server.close();
    } catch (IOException e) {
      LOG.log(DEBUG, () -> "closing the listener: " + e.getMessage());
    }
  }
}
