package dev.sortie.parallel.comm.transport;

import dev.sortie.parallel.comm.CommException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;

/**
 * The control connection to one peer: signs of life, failures, farewells. Read by a thread of its
 * own; a connection that ends without a farewell is a lost rank.
 */
final class TcpControl implements AutoCloseable {
  private static final int BEAT = 1;
  private static final int FAILURE = 2;
  private static final int FAREWELL = 3;
  private static final CommException.Kind[] KINDS = CommException.Kind.values();

  private final Transport transport;
  private final int peer;
  private final Wire wire;
  private final DataOutputStream out;
  private final Duration silence;
  private volatile boolean left;
  private volatile boolean leaving;
  private boolean closed;

  TcpControl(Transport transport, int peer, Wire wire, Duration silence) throws IOException {
    this.transport = transport;
    this.peer = peer;
    this.wire = wire;
    this.silence = silence;
    this.out = new DataOutputStream(wire.out());
    wire.socket().socket().setSoTimeout(Math.toIntExact(silence.toMillis()));
    Thread.ofPlatform().daemon().name("sortie-control-" + peer).start(this::listen);
  }

  boolean hasLeft() {
    return left;
  }

  void beat() {
    write(BEAT, null);
  }

  void fail(Failure failure) {
    write(FAILURE, failure);
  }

  /** A peer that cannot be told is lost, which its reader finds out. */
  private synchronized void write(int type, Failure failure) {
    if (closed || left) {
      return;
    }
    try {
      out.writeByte(type);
      if (failure != null) {
        out.writeByte(failure.kind().ordinal());
        out.writeUTF(failure.reason().substring(0, Math.min(failure.reason().length(), 2000)));
      }
      out.flush();
    } catch (IOException e) {
      lost("cannot be reached: " + e.getMessage());
    }
  }

  private void listen() {
    try (DataInputStream in = new DataInputStream(new BufferedInputStream(wire.in()))) {
      while (!left) {
        switch (in.readUnsignedByte()) {
          case BEAT -> {}
          case FAREWELL -> left = true;
          case FAILURE -> {
            int kind = Math.min(in.readUnsignedByte(), KINDS.length - 1);
            transport.fail(new Failure(KINDS[kind], in.readUTF()));
          }
          default -> throw new IOException("it sends what no rank sends");
        }
      }
    } catch (SocketTimeoutException e) {
      lost("has shown no sign of life for " + silence.toMillis() + " ms");
    } catch (IOException e) {
      lost("is gone: its connection has ended");
    }
  }

  private void lost(String how) {
    if (!leaving && !left) {
      transport.fail(new Failure(CommException.Kind.LOST_RANK, "rank " + peer + " " + how));
    }
  }

  @Override
  public void close() {
    leaving = true; // first: the peer closes its side as soon as it has read the farewell
    write(FAREWELL, null);
    synchronized (this) {
      closed = true;
    }
    try {
      wire.socket()
          .shutdownOutput(); // the farewell still arrives; the peer's reader closes its side
    } catch (IOException e) {
      left = true;
    }
  }
}
