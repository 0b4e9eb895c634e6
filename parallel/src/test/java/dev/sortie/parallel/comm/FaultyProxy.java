package dev.sortie.parallel.comm;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** A link between ranks that goes wrong after some bytes: all connections through it at once. */
final class FaultyProxy implements AutoCloseable {
  /** How it goes wrong. */
  enum Fault {
    /** Nothing happens. */
    NONE,
    /** Bytes come in crumbs, late. */
    SLOW,
    /** Both ends see a reset. */
    RESET,
    /** Both ends see the end of the stream, perhaps within a chunk. */
    END,
    /** Nothing arrives any more, nothing is closed. */
    SILENCE,
    /** Nothing arrives any more at the end that listens. */
    DEAF,
    /** One bit is turned. */
    DAMAGE
  }

  private final ServerSocket server = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
  private final InetSocketAddress target;
  private final Fault fault;
  private final long after;
  private final AtomicLong forwarded = new AtomicLong();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();

  FaultyProxy(InetSocketAddress target, Fault fault, long after) throws IOException {
    this.target = target;
    this.fault = fault;
    this.after = after;
    Thread.ofPlatform().daemon().start(this::accept);
  }

  InetSocketAddress address() {
    return new InetSocketAddress(server.getInetAddress(), server.getLocalPort());
  }

  private void accept() {
    try {
      while (true) {
        Socket caller = server.accept();
        sockets.add(caller);
        try {
          Socket listener = new Socket(target.getAddress(), target.getPort());
          sockets.add(listener);
          Thread.ofPlatform().daemon().start(() -> forward(caller, listener, true));
          Thread.ofPlatform().daemon().start(() -> forward(listener, caller, false));
        } catch (IOException e) {
          caller.close(); // the listener is not there yet
        }
      }
    } catch (IOException e) {
      close();
    }
  }

  private void forward(Socket from, Socket to, boolean towardsListener) {
    byte[] bytes = new byte[8192];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n; (n = in.read(bytes)) >= 0; ) {
        long before = forwarded.getAndAdd(n);
        boolean now = before + n > after;
        int kept = now ? damage(bytes, n, (int) Math.max(0, after - before), towardsListener) : n;
        out.write(bytes, 0, kept);
      }
      to.shutdownOutput();
    } catch (IOException e) {
      close(from);
      close(to);
    }
  }

  /**
   * @param n bytes there are
   * @param at the first one that the fault meets
   * @return how many to pass on
   */
  private int damage(byte[] bytes, int n, int at, boolean towardsListener) throws IOException {
    switch (fault) {
      case NONE -> {}
      case SLOW -> pause(1 + at % 3);
      case RESET -> {
        for (Socket socket : sockets) {
          socket.setSoLinger(true, 0);
        }
        sockets.forEach(FaultyProxy::close);
      }
      case END -> {
        return endAll(at);
      }
      case SILENCE -> {
        return at;
      }
      case DEAF -> {
        return towardsListener ? at : n;
      }
      case DAMAGE -> {
        if (at > 0 || n > 4000) {
          bytes[at] ^= 4;
        }
      }
    }
    return n;
  }

  private int endAll(int at) throws IOException {
    for (Socket socket : sockets) {
      if (!socket.isClosed() && !socket.isOutputShutdown()) {
        socket.shutdownOutput();
      }
    }
    return at;
  }

  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    sockets.forEach(FaultyProxy::close);
  }
}
