package dev.sortie.benchmarks.edge;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A port of this machine behind which another one is as far away as a {@link SimulatedLink} makes
 * it. Each direction is a line of its own. What arrives is cut into packets; a packet enters the
 * line when those before it are in, at the link's rate, and comes out after its delay. So bytes
 * that are sent at once arrive after {@code bytes / rate + delay}.
 *
 * <p>To open a connection takes a round trip before the first byte is on its way, as TCP does.
 * Nothing is lost, no packet has a head, the line's queue has no end, and TCP's slow start is not
 * simulated: a real link of this delay and rate is slower where much is sent at once.
 */
public final class LinkRelay implements AutoCloseable {
  /** Bytes of TCP in an Ethernet packet. */
  private static final int PACKET = 1460;

  private final ServerSocket server;
  private final int target;
  private final SimulatedLink link;
  private final AtomicLong up = new AtomicLong();
  private final AtomicLong down = new AtomicLong();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();

  /**
   * Bytes under way.
   *
   * @param bytes none at the end of the stream
   * @param due when the last of them is out, by {@link System#nanoTime}
   */
  private record Packet(byte[] bytes, long due) {}

  /**
   * A relay that listens.
   *
   * @param target port of this machine
   */
  public LinkRelay(int target, SimulatedLink link) {
    this.target = target;
    this.link = link;
    try {
      this.server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException("no port is free", e);
    }
    start(this::accept);
  }

  /** Where it listens, on the loopback address. */
  public int port() {
    return server.getLocalPort();
  }

  /** Bytes to the target so far. */
  public long up() {
    return up.get();
  }

  /** Bytes from the target so far. */
  public long down() {
    return down.get();
  }

  private static void start(Runnable body) {
    Thread.ofPlatform().daemon().name("simulated-link").start(body);
  }

  private void accept() {
    try {
      while (true) {
        Socket near = server.accept();
        long opened = System.nanoTime();
        start(() -> connect(near, opened));
      }
    } catch (IOException e) {
      end(); // closed
    }
  }

  private void connect(Socket near, long opened) {
    sleepUntil(opened + link.delayNanos());
    try {
      Socket far = new Socket(InetAddress.getLoopbackAddress(), target);
      for (Socket s : List.of(near, far)) {
        s.setTcpNoDelay(true);
        sockets.add(s);
      }
      carry(far, near, System.nanoTime(), down);
      carry(near, far, opened + 2 * link.delayNanos(), up);
    } catch (IOException e) {
      close(near); // nobody listens there
    }
  }

  /** Starts the line of one direction. */
  private void carry(Socket from, Socket to, long open, AtomicLong count) {
    BlockingQueue<Packet> line = new LinkedBlockingQueue<>();
    start(() -> enter(from, line, open, count));
    start(() -> leave(line, to));
  }

  private void enter(Socket from, BlockingQueue<Packet> line, long open, AtomicLong count) {
    byte[] packet = new byte[PACKET];
    long free = open;
    try {
      InputStream in = from.getInputStream();
      for (int n; (n = in.read(packet)) >= 0; ) {
        count.addAndGet(n);
        free = later(free, System.nanoTime()) + link.nanos(n);
        line.add(new Packet(Arrays.copyOf(packet, n), free + link.delayNanos()));
      }
    } catch (IOException e) {
      // reset: the other end sees an end, as that of a link that was cut
    }
    line.add(new Packet(new byte[0], later(free, System.nanoTime()) + link.delayNanos()));
  }

  private static void leave(BlockingQueue<Packet> line, Socket to) {
    try {
      OutputStream out = to.getOutputStream();
      while (true) {
        Packet p = line.take();
        sleepUntil(p.due());
        if (p.bytes().length == 0) {
          to.shutdownOutput();
          return;
        }
        out.write(p.bytes());
      }
    } catch (IOException e) {
      close(to); // it takes no more
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  private static long later(long a, long b) {
    return a - b > 0 ? a : b;
  }

  private static void sleepUntil(long nanos) {
    for (long left; (left = nanos - System.nanoTime()) > 0; ) {
      LockSupport.parkNanos(left);
    }
  }

  private void end() {
    sockets.forEach(LinkRelay::close);
  }

  private static void close(Socket s) {
    try {
      s.close();
    } catch (IOException e) {
      throw new UncheckedIOException("a socket cannot be closed", e);
    }
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException("a socket cannot be closed", e);
    }
    end();
  }
}
