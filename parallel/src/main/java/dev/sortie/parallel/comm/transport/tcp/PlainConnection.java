package dev.sortie.parallel.comm.transport.tcp;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** The socket itself. */
record PlainConnection(SocketChannel socket) implements Connection {
  @Override
  public InputStream in() throws IOException {
    return socket.socket().getInputStream();
  }

  @Override
  public OutputStream out() throws IOException {
    return socket.socket().getOutputStream();
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    return socket.read(into);
  }

  @Override
  public long read(ByteBuffer[] into) throws IOException {
    return socket.read(into);
  }

  @Override
  public boolean write(ByteBuffer[] frame) throws IOException {
    socket.write(frame);
    return !frame[frame.length - 1].hasRemaining();
  }
}
