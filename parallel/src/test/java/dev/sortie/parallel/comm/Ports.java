package dev.sortie.parallel.comm;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Ports of this machine. */
public final class Ports {
  private static final long LIMIT_NANOS = 5_000_000_000L;

  private Ports() {}

  /** An address on the loopback device at which nobody listens now. */
  public static InetSocketAddress free() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort());
    }
  }

  /**
   * Returns when nobody listens there any more. The system lets go of a listener that was closed
   * when the thread that accepts has woken up, a moment later.
   */
  static void awaitFree(InetSocketAddress address) throws IOException, InterruptedException {
    long from = System.nanoTime();
    while (true) {
      try (ServerSocket socket = new ServerSocket()) {
        socket.setReuseAddress(true);
        socket.bind(address, 1);
        return;
      } catch (BindException e) {
        if (System.nanoTime() - from > LIMIT_NANOS) {
          throw e;
        }
        Thread.sleep(10);
      }
    }
  }
}
