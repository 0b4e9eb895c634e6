package dev.sortie.nn.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A file to be here in the end.
 *
 * @param path in the repository
 * @param hash of its bytes
 * @param bytes how many
 */
record Blob(String path, Hash hash, long bytes) {
  /**
   * What a file's bytes must hash to. The hub names large files by SHA-256 (64 hex digits) and
   * small ones as git does: SHA-1 over {@code "blob SIZE\0"} and the bytes (40 digits).
   *
   * @param hex lower-case digits
   */
  record Hash(String hex) {
    private static final Pattern DIGITS = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
    private static final int CHUNK = 1 << 20;

    Hash {
      if (!DIGITS.matcher(hex).matches()) {
        throw new IllegalArgumentException(hex + " is no SHA-256 and no git hash");
      }
    }

    /** The hash that an ETag header names, weak or strong, if it is one. */
    static Optional<Hash> ofEtag(String etag) {
      String text = etag.strip();
      text = text.startsWith("W/") ? text.substring(2) : text;
      text = text.replaceAll("^\"|\"$", "");
      return DIGITS.matcher(text).matches() ? Optional.of(new Hash(text)) : Optional.empty();
    }

    /** What the bytes of a file hash to in the same way, in hex. */
    String of(FileChannel file) throws IOException {
      MessageDigest digest = digest(file.size());
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
      file.position(0);
      while (file.read(chunk.clear()) >= 0) {
        digest.update(chunk.flip());
      }
      return HexFormat.of().formatHex(digest.digest());
    }

    private MessageDigest digest(long size) {
      try {
        if (hex.length() == 64) {
          return MessageDigest.getInstance("SHA-256");
        }
        MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
        sha1.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
        return sha1;
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every Java platform has SHA-1 and SHA-256", e);
      }
    }

    String algorithm() {
      return hex.length() == 64 ? "SHA-256" : "git SHA-1";
    }
  }
}
