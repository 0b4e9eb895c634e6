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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/**
 * Takes connections of this job's ranks and keeps them until they are asked for. Strangers are
 * closed and logged; they cost a thread for some seconds and disturb nobody.
 */
final class Listener implements AutoCloseable {
  /** Connections that may be unproven at a time, and for how long. */
  private static final int STRANGERS = 64;

  private static final int PROOF_MILLIS = 5000;
  private static final System.Logger LOG = System.getLogger(Listener.class.getName());

  private final ServerSocketChannel server;
  private final Handshake handshake;
  private final Semaphore unproven = new Semaphore(STRANGERS);
  private final Set<Hello> admitted = ConcurrentHashMap.newKeySet();
  private final Map<Hello, SocketChannel> waiting = new ConcurrentHashMap<>();
  private volatile boolean closed;

  Listener(InetSocketAddress address, Handshake handshake) throws IOException {
    this.handshake = handshake;
    this.server = ServerSocketChannel.open();
    server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
    server.bind(address, 256);
    Thread.ofPlatform().daemon().name("sortie-listener").start(this::accept);
  }

  int port() throws IOException {
    return ((InetSocketAddress) server.getLocalAddress()).getPort();
  }

  private void accept() {
    while (!closed) {
      try {
        SocketChannel socket = server.accept();
        if (unproven.tryAcquire()) {
          Thread.ofVirtual().start(() -> admit(socket));
        } else {
          socket.close();
        }
      } catch (AsynchronousCloseException e) {
        return;
      } catch (IOException e) {
        if (!closed) {
          LOG.log(WARNING, "a connection could not be taken: " + e.getMessage());
        }
      }
    }
  }

  private void admit(SocketChannel socket) {
    try {
      socket.socket().setSoTimeout(PROOF_MILLIS);
      Hello hello = handshake.answer(socket.socket());
      socket.socket().setSoTimeout(0);
      if (closed || !admitted.add(hello)) {
        throw new IOException(hello + " is there already");
      }
      Handshake.welcome(socket.socket()); // first: who takes the socket changes its mode
      waiting.put(hello, socket);
    } catch (IOException e) {
      LOG.log(DEBUG, () -> "refused " + socket + ": " + e.getMessage());
      close(socket);
    } finally {
      unproven.release();
    }
  }

  /** The connection that said {@code hello}, or null while it has not come. */
  SocketChannel take(Hello hello) {
    return waiting.remove(hello);
  }

  /** The connection of a rank that joins, whatever its port, or null; and what it said. */
  Map.Entry<Hello, SocketChannel> takeJoining(int rank) {
    for (Map.Entry<Hello, SocketChannel> entry : waiting.entrySet()) {
      Hello hello = entry.getKey();
      if (hello.purpose() == Hello.Purpose.JOIN && hello.rank() == rank) {
        waiting.remove(hello);
        return entry;
      }
    }
    return null;
  }

  private static void close(SocketChannel socket) {
    try {
      socket.close();
    } catch (IOException e) {
      LOG.log(DEBUG, () -> "closing " + socket + ": " + e.getMessage());
    }
  }

  @Override
  public void close() {
    closed = true;
    waiting.values().forEach(Listener::close);
    try {
      server.close();
    } catch (IOException e) {
      LOG.log(DEBUG, () -> "closing the listener: " + e.getMessage());
    }
  }
}
