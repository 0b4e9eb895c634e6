package dev.sortie.eetuning.decode.edge;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** What lies between edge and cloud, and goes wrong after some bytes, both ways together. */
final class FaultyLink implements AutoCloseable {
  /** How. */
  enum Fault {
    /** Both ends see a reset. */
    RESET,
    /** Both ends see the end of the stream, perhaps within a frame. */
    END,
    /** Nothing arrives any more, nothing is closed. */
    SILENCE
  }

  private final ServerSocket server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
  private final int target;
  private final Fault fault;
  private final long after;
  private final AtomicLong forwarded = new AtomicLong();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();

  /**
   * A link that works at first.
   *
   * @param target port of the cloud on this machine
   * @param after bytes that arrive
   */
  FaultyLink(int target, Fault fault, long after) throws IOException {
    this.target = target;
    this.fault = fault;
    this.after = after;
    Thread.ofPlatform().daemon().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  private void accept() {
    try {
      while (true) {
        Socket edge = server.accept();
        Socket cloud = new Socket(InetAddress.getLoopbackAddress(), target);
        sockets.addAll(List.of(edge, cloud));
        Thread.ofPlatform().daemon().start(() -> forward(edge, cloud));
        Thread.ofPlatform().daemon().start(() -> forward(cloud, edge));
      }
    } catch (IOException e) {
      end(); // closed
    }
  }

  private void forward(Socket from, Socket to) {
    byte[] bytes = new byte[1024];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n; (n = in.read(bytes)) >= 0; ) {
        long before = forwarded.getAndAdd(n);
        int kept = Math.clamp(after - before, 0, n);
        out.write(bytes, 0, kept);
        if (kept < n && fault != Fault.SILENCE) {
          for (Socket s : sockets) {
            s.setSoLinger(fault == Fault.RESET, 0);
          }
          end();
        }
      }
      to.shutdownOutput();
    } catch (IOException e) {
      end();
    }
  }

  private void end() {
    for (Socket s : sockets) {
      try {
        s.close();
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    end();
  }
}
