package dev.sortie.parallel.comm.transport.tcp;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * A connection between two processes that are no ranks of a job. Both have proved the secret,
 * inside of TLS if there is some, as ranks do ({@link Handshake}). One thread may read while
 * another one writes; closing it ends both.
 */
public final class Link implements AutoCloseable {
  private static final Hello HELLO = new Hello(Hello.Purpose.LINK, 0, 0, "");

  private final Connection connection;

  Link(Connection connection) {
    this.connection = connection;
  }

  /**
   * A link to a process that listens. Takes five seconds for the connection and as long for the
   * proof, at most.
   *
   * @throws IOException if nobody answers there, or not as one that knows the secret
   */
  public static Link call(InetSocketAddress address, LinkKeys keys) throws IOException {
    if (address.isUnresolved()) {
      throw new IOException("no machine of the name " + address.getHostString() + " is known");
    }
    Connector connector = new Connector(keys.handshake(), keys.tls());
    return new Link(connector.say(Connector.connect(address), HELLO));
  }

  /** Bytes from the other end. */
  public InputStream in() throws IOException {
    return connection.in();
  }

  /** Bytes to the other end; waits while the system takes no more. */
  public OutputStream out() throws IOException {
    return connection.out();
  }

  /** Reading fails where nothing has come for so long. */
  public void silence(Duration longest) throws IOException {
    connection.socket().socket().setSoTimeout(Math.toIntExact(longest.toMillis()));
  }

  /** Address and port of the other end. */
  public String peer() throws IOException {
    InetSocketAddress address = (InetSocketAddress) connection.socket().getRemoteAddress();
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  @Override
  public void close() {
    PendingConnections.close(connection.socket());
  }
}
