package dev.sortie.parallel.comm.transport.tcp;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * How two ranks that share a secret recognise each other on a new connection, inside of TLS if
 * there is some:
 *
 * <pre>
 *   listener → caller   magic, nonce S                                          40 bytes
 *   caller → listener   magic (at once, so that one who expects TLS sees that there is none),
 *                       nonce C, length, hello,
 *                       HMAC(secret, "caller" S C job hello)
 *   listener → caller   1, HMAC(secret, "listener" S C job hello)               33 bytes
 *                       or 0, and the end
 * </pre>
 *
 * The caller proves first, so an unknown peer gets nothing that depends on the secret. Nonces are
 * new for each connection, so a recorded one opens nothing; the number of the job's start is part
 * of {@code job}, so ranks that an earlier start left behind are refused.
 */
final class Handshake {
  private static final long MAGIC = 0x736f72746965_0002L;

  /** What a connection without TLS begins with, both ways; no TLS record begins so. */
  static final byte FIRST_BYTE = (byte) (MAGIC >>> 56);

  /** Records of TLS that a connection may begin with. */
  private static final int TLS_ALERT = 21;

  private static final int TLS_HANDSHAKE = 22;
  private static final int WELCOME = 1;
  private static final int NONCE = 32;
  private static final int MAC = 32;

  private final byte[] secret;
  private final byte[] job;
  private final SecureRandom random = new SecureRandom();

  /**
   * @param generation number of this start of the job
   */
  Handshake(byte[] secret, int world, int generation) {
    this.secret = secret.clone();
    this.job = ByteBuffer.allocate(8).putInt(world).putInt(generation).array();
  }

  /**
   * The caller's part.
   *
   * @throws RefusedException if one of the two does not know what the other one knows
   */
  void call(InputStream from, OutputStream out, Hello hello) throws IOException {
    DataInputStream in = new DataInputStream(from);
    out.write(ByteBuffer.allocate(Long.BYTES).putLong(MAGIC).array());
    readMagic(in);
    byte[] theirs = read(in, NONCE);
    byte[] mine = nonce();
    byte[] text = hello.encode();
    byte[] own = mac("caller", theirs, mine, text);
    out.write(
        ByteBuffer.allocate(NONCE + Integer.BYTES + text.length + MAC)
            .put(mine)
            .putInt(text.length)
            .put(text)
            .put(own)
            .array());
    if (in.readUnsignedByte() != WELCOME) {
      throw new RefusedException(
          "it refused this rank, which has another secret or is of another start of the job");
    }
    if (!MessageDigest.isEqual(read(in, MAC), mac("listener", theirs, mine, text))) {
      throw new RefusedException("it does not know this job's secret");
    }
  }

  /** The listener's part. Nothing the caller says is believed before it has proved the secret. */
  Proven answer(InputStream from, OutputStream out) throws IOException {
    DataInputStream in = new DataInputStream(from);
    byte[] mine = nonce();
    out.write(ByteBuffer.allocate(Long.BYTES + NONCE).putLong(MAGIC).put(mine).array());
    readMagic(in);
    byte[] theirs = read(in, NONCE);
    int length = in.readInt();
    if (length < 0 || length > Hello.LONGEST) {
      throw new IOException("a hello has at most " + Hello.LONGEST + " bytes, got " + length);
    }
    byte[] text = read(in, length);
    if (!MessageDigest.isEqual(read(in, MAC), mac("caller", mine, theirs, text))) {
      out.write(0);
      throw new RefusedException(
          "it does not know this job's secret, or is of another start of the job");
    }
    return new Proven(Hello.decode(text), mac("listener", mine, theirs, text));
  }

  private static void readMagic(DataInputStream in) throws IOException {
    byte[] magic = new byte[Long.BYTES];
    magic[0] = in.readByte();
    if (magic[0] == TLS_ALERT || magic[0] == TLS_HANDSHAKE) {
      throw new RefusedException(Tls.MISMATCH.formatted("with", "without"));
    }
    in.readFully(magic, 1, magic.length - 1);
    if (ByteBuffer.wrap(magic).getLong() != MAGIC) {
      throw new IOException("it does not speak this protocol");
    }
  }

  private static byte[] read(DataInputStream in, int bytes) throws IOException {
    byte[] all = new byte[bytes];
    in.readFully(all);
    return all;
  }

  /**
   * A caller that has proved the secret.
   *
   * @param hello what it wants
   * @param proof the listener's, which it waits for
   */
  record Proven(Hello hello, byte[] proof) {
    /** Tells the caller that it is welcome. */
    void welcome(OutputStream out) throws IOException {
      out.write(ByteBuffer.allocate(1 + MAC).put((byte) WELCOME).put(proof).array());
    }
  }

  /** To try again would not help. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
      super(message);
    }
  }

  private byte[] nonce() {
    byte[] nonce = new byte[NONCE];
    random.nextBytes(nonce);
    return nonce;
  }

  private byte[] mac(String role, byte[] listeners, byte[] callers, byte[] text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret, "HmacSHA256"));
      mac.update(role.getBytes(StandardCharsets.US_ASCII));
      mac.update(listeners);
      mac.update(callers);
      mac.update(job);
      return mac.doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HmacSHA256", e);
    }
  }
}
