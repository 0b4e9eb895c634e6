package dev.sortie.parallel.comm.transport;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * How two ranks that share a secret recognise each other on a new connection:
 *
 * <pre>
 *   caller → listener   magic, nonce C                                   40 bytes
 *   listener → caller   nonce S, HMAC(secret, "listener" C S job)        64 bytes
 *   caller → listener   length, hello, HMAC(secret, "caller" C S job hello)
 *   listener → caller   1
 * </pre>
 *
 * Nonces are new for each connection, so a recorded one opens nothing; the number of the job's
 * start is part of {@code job}, so ranks that an earlier start left behind are refused.
 */
final class Handshake {
  private static final long MAGIC = 0x736f72746965_0001L;
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

  /** The caller's part. Fails if the listener does not know the secret. */
  void call(Socket socket, Hello hello) throws IOException {
    DataInputStream in = new DataInputStream(socket.getInputStream());
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    byte[] mine = nonce();
    out.write(ByteBuffer.allocate(8 + NONCE).putLong(MAGIC).put(mine).array());
    byte[] theirs = in.readNBytes(NONCE);
    byte[] proof = in.readNBytes(MAC);
    if (!MessageDigest.isEqual(proof, mac("listener", mine, theirs, new byte[0]))) {
      throw new IOException(
          "the listener does not know this job's secret, or is of another start of the job");
    }
    byte[] text = hello.encode();
    byte[] own = mac("caller", mine, theirs, text);
    out.write(
        ByteBuffer.allocate(4 + text.length + MAC).putInt(text.length).put(text).put(own).array());
    if (in.readUnsignedByte() != 1) {
      throw new IOException("the listener refused " + hello);
    }
  }

  /** The listener's part. Nothing the caller says is believed before it has proved the secret. */
  Hello answer(Socket socket) throws IOException {
    DataInputStream in = new DataInputStream(socket.getInputStream());
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    if (in.readLong() != MAGIC) {
      throw new IOException("it does not speak this protocol");
    }
    byte[] theirs = new byte[NONCE];
    in.readFully(theirs);
    byte[] mine = nonce();
    byte[] proof = mac("listener", theirs, mine, new byte[0]);
    out.write(ByteBuffer.allocate(NONCE + MAC).put(mine).put(proof).array());
    int length = in.readInt();
    if (length < 0 || length > Hello.LONGEST) {
      throw new IOException("a hello has at most " + Hello.LONGEST + " bytes, got " + length);
    }
    byte[] text = new byte[length];
    in.readFully(text);
    byte[] given = in.readNBytes(MAC);
    if (!MessageDigest.isEqual(given, mac("caller", theirs, mine, text))) {
      throw new IOException("it does not know this job's secret");
    }
    return Hello.decode(text);
  }

  /** Tells the caller that it is welcome. */
  static void welcome(Socket socket) throws IOException {
    socket.getOutputStream().write(1);
  }

  private byte[] nonce() {
    byte[] nonce = new byte[NONCE];
    random.nextBytes(nonce);
    return nonce;
  }

  private byte[] mac(String role, byte[] callers, byte[] listeners, byte[] text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret, "HmacSHA256"));
      mac.update(role.getBytes(StandardCharsets.US_ASCII));
      mac.update(callers);
      mac.update(listeners);
      mac.update(job);
      return mac.doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HmacSHA256", e);
    }
  }
}
