package dev.sortie.benchmarks.ranks;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/**
 * What Java gives without us: one blocking socket, straight from and to memory outside the heap.
 */
final class PlainSocket implements AutoCloseable {
  private final SocketChannel socket;

  /** Rank 0 listens, rank 1 connects once it does. */
  PlainSocket(int rank, int port, Runnable meet) {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try {
      if (rank == 0) {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(address)) {
          meet.run();
          socket = server.accept();
        }
      } else {
        meet.run();
        socket = SocketChannel.open(address);
      }
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
    } catch (IOException e) {
      throw new UncheckedIOException("the plain socket of rank " + rank + " cannot be opened", e);
    }
  }

  void write(ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        socket.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void read(ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        if (socket.read(bytes) < 0) {
          throw new EOFException("the other rank is gone");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
