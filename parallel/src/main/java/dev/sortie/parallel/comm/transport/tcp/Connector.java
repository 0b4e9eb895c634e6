package dev.sortie.parallel.comm.transport.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** Opens connections to the listeners of other ranks. */
final class Connector {
  /** For each of: the connection, an answer. The system's own limits are above two minutes. */
  static final int MILLIS = 5000;

  private static final int ATTEMPTS = 3;
  private static final int LAST_PORT = 65535;

  private final Handshake handshake;
  private final Optional<Tls> tls;

  Connector(Handshake handshake, Optional<Tls> tls) {
    this.handshake = handshake;
    this.tls = tls;
  }

  /** Whether somebody may listen on a port of this number. */
  static boolean isPort(int port) {
    return port > 0 && port <= LAST_PORT;
  }

  /** A connection to a rank that listens, after {@code hello} was welcome. */
  Connection call(InetSocketAddress address, Hello hello) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return say(connect(address), hello);
      } catch (Handshake.RefusedException e) {
        throw e;
      } catch (IOException e) {
        if (attempt == ATTEMPTS) { // a flooded listener may have dropped it
          throw e;
        }
      }
    }
  }

  static SocketChannel connect(InetSocketAddress address) throws IOException {
    SocketChannel socket = SocketChannel.open();
    try {
      socket.socket().connect(address, MILLIS);
      sendAtOnce(socket);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** A short message must not wait until an earlier one is acknowledged: at both ends. */
  static void sendAtOnce(SocketChannel socket) throws IOException {
    socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
  }

  /** Proves itself on a new connection, which is closed if it is not welcome. */
  Connection say(SocketChannel socket, Hello hello) throws IOException {
    try {
      socket.socket().setSoTimeout(MILLIS);
      Connection connection = Tls.calling(tls, socket);
      handshake.call(connection.in(), connection.out(), hello);
      socket.socket().setSoTimeout(0);
      return connection;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }
}
