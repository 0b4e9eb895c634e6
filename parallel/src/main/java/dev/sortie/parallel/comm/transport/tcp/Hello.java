package dev.sortie.parallel.comm.transport.tcp;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/**
 * What a new connection is for.
 *
 * @param purpose of the connection
 * @param rank that opens it
 * @param stream number of the socket of a pair, or the port where the rank listens when it joins
 * @param endpoint the stream's endpoint, else empty
 */
record Hello(Purpose purpose, int rank, int stream, String endpoint) {
  /** Longest encoded form: an endpoint's name is short. */
  static final int LONGEST = 1024;

  enum Purpose {
    /** To rank 0, which answers with the addresses of all; then as {@link #CONTROL}. */
    JOIN,
    /** Failures and signs of life. */
    CONTROL,
    /** One of the sockets of a pair. */
    STREAM,
    /** To a process that is no rank, as a {@link Link}. */
    LINK
  }

  byte[] encode() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(purpose.ordinal());
    out.writeInt(rank);
    out.writeInt(stream);
    out.writeUTF(endpoint);
    return bytes.toByteArray();
  }

  static Hello decode(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    int purpose = in.readUnsignedByte();
    if (purpose >= Purpose.values().length) {
      throw new IOException("unknown purpose " + purpose);
    }
    return new Hello(Purpose.values()[purpose], in.readInt(), in.readInt(), in.readUTF());
  }
}
