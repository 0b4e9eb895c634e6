package dev.sortie.parallel.comm.transport.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;

/**
 * A socket under TLS. Records are opened straight into the caller's memory where a whole one fits.
 * The end of the socket is the end of the connection, with or without TLS's own farewell: what
 * ranks say to each other has lengths and a farewell of its own, so that nothing can be cut off
 * unseen.
 */
final class TlsConnection implements Connection, ByteChannel {
  /** Records that are read or written at once. */
  private static final int RECORDS = 4;

  private static final ByteBuffer[] NOTHING = {ByteBuffer.allocate(0)};
  private static final String ALERT = "Received fatal alert: ";

  private final SocketChannel socket;
  private final SSLEngine engine;
  private final int record;

  /** Records on their way out, from 0 to the position. */
  private final ByteBuffer sealed;

  /** Records that have come and are not opened, from the position to the limit. */
  private final ByteBuffer arrived;

  /** What was opened and not taken, from the position to the limit. */
  private final ByteBuffer opened;

  /**
   * Agrees on keys with the other end; what was said before is not read.
   *
   * @param socket that blocks, with a timeout
   * @throws Handshake.RefusedException if one of the two does not trust the other one
   */
  TlsConnection(SocketChannel socket, SSLEngine engine) throws IOException {
    this.socket = socket;
    this.engine = engine;
    this.record = engine.getSession().getPacketBufferSize();
    this.sealed = ByteBuffer.allocate(RECORDS * record);
    this.arrived = ByteBuffer.allocate(RECORDS * record).flip();
    this.opened = ByteBuffer.allocate(record).flip();
    try {
      agree();
    } catch (IOException e) {
      alert(e);
      throw e;
    }
  }

  private void agree() throws IOException {
    engine.beginHandshake();
    while (true) {
      switch (engine.getHandshakeStatus()) {
        case NEED_TASK -> engine.getDelegatedTask().run();
        case NEED_WRAP -> {
          if (!seal(NOTHING)) {
            flush();
          }
        }
        case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
          flush();
          if (take(opened.clear()) < 0) {
            throw new EOFException("it ended the connection instead of agreeing on TLS");
          }
        }
        default -> {
          flush();
          return;
        }
      }
    }
  }

  @Override
  public SocketChannel socket() {
    return socket;
  }

  @Override
  public InputStream in() {
    return Channels.newInputStream(this);
  }

  @Override
  public OutputStream out() {
    return Channels.newOutputStream(this);
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    int start = into.position();
    while (into.hasRemaining()) {
      if (opened.hasRemaining()) {
        int bytes = Math.min(opened.remaining(), into.remaining());
        into.put(opened.slice(opened.position(), bytes));
        opened.position(opened.position() + bytes);
        continue;
      }
      int got = into.position() - start;
      if (got > 0 && socket.isBlocking()) {
        return got;
      }
      int progress = take(into.remaining() >= record ? into : opened.clear());
      if (progress <= 0) {
        return got == 0 ? progress : got;
      }
    }
    return into.position() - start;
  }

  /**
   * Opens a record, or has more bytes come for one.
   *
   * @param target memory for a record; where it is {@link #opened}, ready to be taken from
   * @return above 0 if something was passed on, 0 if nothing has come, -1 at the end
   */
  private int take(ByteBuffer target) throws IOException {
    SSLEngineResult.Status status;
    try {
      status = engine.unwrap(arrived, target).getStatus();
    } catch (SSLException e) {
      throw explain(e);
    } finally {
      if (target == opened) {
        opened.flip();
      }
    }
    return switch (status) {
      case OK -> 1;
      case BUFFER_UNDERFLOW -> fill();
      case CLOSED -> -1;
      case BUFFER_OVERFLOW -> throw new IOException("TLS: a record is longer than any may be");
    };
  }

  private int fill() throws IOException {
    arrived.compact();
    try {
      if (!socket.isBlocking()) {
        return socket.read(arrived);
      }
      InputStream in = socket.socket().getInputStream();
      int bytes = in.read(arrived.array(), arrived.position(), arrived.remaining());
      arrived.position(arrived.position() + Math.max(0, bytes));
      return bytes;
    } finally {
      arrived.flip();
    }
  }

  @Override
  public boolean write(ByteBuffer[] frame) throws IOException {
    ByteBuffer last = frame[frame.length - 1];
    do {
      while (last.hasRemaining() && seal(frame)) {
        // as many records as there is room for
      }
      flush();
    } while (last.hasRemaining() && sealed.position() == 0);
    return !last.hasRemaining() && sealed.position() == 0;
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    int bytes = from.remaining();
    write(new ByteBuffer[] {from});
    return bytes;
  }

  /** Seals a record; false if there is no room for one. */
  private boolean seal(ByteBuffer[] frame) throws IOException {
    try {
      return switch (engine.wrap(frame, sealed).getStatus()) {
        case OK -> true;
        case BUFFER_OVERFLOW -> false;
        case BUFFER_UNDERFLOW, CLOSED -> throw new IOException("TLS: the connection has ended");
      };
    } catch (SSLException e) {
      throw explain(e);
    }
  }

  /** A socket that blocks takes all. */
  private void flush() throws IOException {
    sealed.flip();
    try {
      if (!socket.isBlocking()) {
        socket.write(sealed);
      } else if (sealed.hasRemaining()) {
        socket.socket().getOutputStream().write(sealed.array(), 0, sealed.limit());
        sealed.position(sealed.limit());
      }
    } finally {
      sealed.compact();
    }
  }

  @Override
  public boolean isOpen() {
    return socket.isOpen();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** Has the other end know that this one ends it, and why; no one else writes yet. */
  private void alert(IOException trouble) {
    try {
      while (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP
          && engine.wrap(NOTHING, sealed).getStatus() == SSLEngineResult.Status.OK) {
        // a record with an alert
      }
      flush();
    } catch (IOException e) {
      trouble.addSuppressed(e); // it has gone
    }
  }

  /** What the trouble is, in the words of a job. */
  private IOException explain(SSLException trouble) {
    IOException told = inWords(trouble);
    told.initCause(trouble);
    return told;
  }

  private IOException inWords(SSLException trouble) {
    String message = String.valueOf(trouble.getMessage());
    int alert = message.indexOf(ALERT);
    if (alert >= 0) {
      String name = message.substring(alert + ALERT.length());
      return new Handshake.RefusedException(
          name.contains("certificate") || name.equals("unknown_ca")
              ? "it does not trust this rank's certificate (TLS alert " + name + ")"
              : "it ended TLS with the alert " + name);
    }
    if (message.contains("Empty client certificate chain")) {
      return new Handshake.RefusedException(
          "it showed no certificate that this rank trusts by " + Tls.KEY_STORE);
    }
    for (Throwable cause = trouble; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException || cause instanceof CertPathBuilderException) {
        return new Handshake.RefusedException(
            "this rank does not trust its certificate, which is not in " + Tls.KEY_STORE);
      }
    }
    if (arrived.hasRemaining() && arrived.get(arrived.position()) == Handshake.FIRST_BYTE) {
      return new Handshake.RefusedException(Tls.MISMATCH.formatted("without", "with"));
    }
    return new IOException("TLS: " + message);
  }
}
