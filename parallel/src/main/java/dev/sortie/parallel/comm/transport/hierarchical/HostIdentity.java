package dev.sortie.parallel.comm.transport.hierarchical;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * What tells whether two ranks may share memory: the start of the system that runs them, and the
 * folder that they see. Containers on one machine have the folder in common or have not.
 *
 * @param identity the same for all ranks of a host
 */
public record HostIdentity(String identity) {
  private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");

  /** This host, by a folder for shared files; one of its own where the system does not tell. */
  public static HostIdentity of(Path folder) {
    try {
      return new HostIdentity(
          "%s %s %s"
              .formatted(
                  Files.readString(BOOT).strip(),
                  Files.getAttribute(folder, "unix:dev"),
                  Files.getAttribute(folder, "unix:ino")));
    } catch (IOException | UnsupportedOperationException e) {
      return new HostIdentity(UUID.randomUUID().toString());
    }
  }

  /** 32 bytes that are equal for equal hosts. */
  byte[] digest() {
    return sha256(identity);
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
