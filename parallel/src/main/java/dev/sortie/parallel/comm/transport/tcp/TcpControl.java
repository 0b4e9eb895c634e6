package dev.sortie.parallel.comm.transport.tcp;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.comm.transport.Transport;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Optional;

/**
 * The control connection to one peer, from the moment on that one of the two has called the other:
 * where ranks listen, signs of life, failures, farewells. Read by a thread of its own; a connection
 * that ends without a farewell is a lost rank.
 */
final class TcpControl implements AutoCloseable {
  private static final int BEAT = 1;
  private static final int FAILURE = 2;
  private static final int FAREWELL = 3;
  private static final int ADDRESSES = 4;
  private static final CommException.Kind[] KINDS = CommException.Kind.values();

  private final Transport transport;
  private final int peer;
  private final Connection connection;

  /** In so many parts the silence that is allowed is waited for. */
  private static final int TURNS = 8;

  private final DataOutputStream out;
  private final Duration silence;
  private volatile InetSocketAddress[] addresses;
  private volatile boolean left;
  private volatile boolean leaving;
  private boolean closed;

  TcpControl(Transport transport, int peer, Connection connection, Duration silence)
      throws IOException {
    this.transport = transport;
    this.peer = peer;
    this.connection = connection;
    this.silence = silence;
    this.out = new DataOutputStream(connection.out());
    connection
        .socket()
        .socket()
        .setSoTimeout(Math.max(1, Math.toIntExact(silence.toMillis() / TURNS)));
    Thread.ofPlatform().daemon().name("sortie-control-" + peer).start(this::listen);
  }

  boolean hasLeft() {
    return left;
  }

  /** Where each rank listens, as the peer has told; nothing at rank 0's own place. */
  Optional<InetSocketAddress[]> addresses() {
    return Optional.ofNullable(addresses);
  }

  /** Says where all ranks but 0 listen. */
  void tell(InetSocketAddress[] all) {
    write(
        ADDRESSES,
        () -> {
          for (int i = 1; i < all.length; i++) {
            out.writeUTF(all[i].getAddress().getHostAddress());
            out.writeInt(all[i].getPort());
          }
        });
  }

  void beat() {
    write(BEAT, () -> {});
  }

  void fail(Failure failure) {
    write(
        FAILURE,
        () -> {
          out.writeByte(failure.kind().ordinal());
          out.writeUTF(failure.reason().substring(0, Math.min(failure.reason().length(), 2000)));
        });
  }

  /** The rest of a message. */
  private interface Body {
    void write() throws IOException;
  }

  /**
   * A peer that cannot be told is lost. But what it has said before it ended may not be read yet,
   * and is the better reason.
   */
  private synchronized void write(int type, Body body) {
    if (closed || left) {
      return;
    }
    try {
      out.writeByte(type);
      body.write();
      out.flush();
    } catch (IOException e) {
      IdleStrategy.awaitFailure(transport);
      lost("cannot be reached: " + e.getMessage());
    }
  }

  private void listen() {
    try (DataInputStream in =
        new DataInputStream(
            new BufferedInputStream(new RetryingInputStream(connection.in(), TURNS)))) {
      while (!left) {
        switch (in.readUnsignedByte()) {
          case BEAT -> {}
          case FAREWELL -> left = true;
          case ADDRESSES -> addresses = readAddresses(in);
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

  private InetSocketAddress[] readAddresses(DataInputStream in) throws IOException {
    InetSocketAddress[] all = new InetSocketAddress[transport.world()];
    for (int i = 1; i < all.length; i++) {
      String host = in.readUTF();
      int port = in.readInt();
      if (!Connector.isPort(port)) {
        throw new IOException("it says that rank " + i + " listens on port " + port);
      }
      all[i] = new InetSocketAddress(host, port);
    }
    return all;
  }

  private void lost(String how) {
    if (!leaving && !left) {
      transport.fail(new Failure(CommException.Kind.LOST_RANK, "rank " + peer + " " + how));
    }
  }

  @Override
  public void close() {
    leaving = true; // first: the peer closes its side as soon as it has read the farewell
    // again: the thread that has found the failure may not have come to tell this peer yet
    transport.failure().ifPresent(this::fail);
    write(FAREWELL, () -> {});
    synchronized (this) {
      closed = true;
    }
    try {
      connection
          .socket()
          .shutdownOutput(); // the farewell still arrives; the peer's reader closes its side
    } catch (IOException e) {
      left = true;
    }
  }
}
