package dev.sortie.nn.file;

import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 (FIPS 180-4) of files and memory, as 64 lower-case hex digits. Not thread-safe. */
public final class Sha256 {
  private static final int CHUNK = 1 << 16;

  private final MessageDigest digest;
  private final byte[] buffer = new byte[CHUNK];

  /** The hash of nothing so far. */
  public Sha256() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** Hash of a file's bytes. */
  public static String of(Path file) {
    InputFiles.requireRegular(file);
    // read, not mapped: a mapped file counts as resident memory of this process
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      Sha256 sha = new Sha256();
      ByteBuffer chunk = ByteBuffer.wrap(sha.buffer);
      while (channel.read(chunk.clear()) >= 0) {
        sha.digest.update(chunk.flip());
      }
      return sha.hex();
    } catch (IOException e) {
      throw InputFiles.cannotRead(file, e);
    }
  }

  /** Hash of bytes. */
  public static String of(byte[] bytes) {
    return new Sha256().update(bytes).hex();
  }

  /** Hash of the elements' bytes, little-endian, as a file would hold them. */
  public static String of(Span span) {
    return new Sha256().update(span).hex();
  }

  /** Adds bytes. */
  public Sha256 update(byte[] bytes) {
    digest.update(bytes);
    return this;
  }

  /** Adds the elements' bytes. */
  public Sha256 update(Span span) {
    return update(span.readOnly());
  }

  /** Adds memory. */
  public Sha256 update(MemorySegment bytes) {
    for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
      int count = (int) Math.min(CHUNK, bytes.byteSize() - at);
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, buffer, 0, count);
      digest.update(buffer, 0, count);
    }
    return this;
  }

  /** The hash of all that was added; starts anew. */
  public String hex() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
