package dev.sortie.opencl;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * Compiled programs on disk. A file is named by the hash of all that decides its contents (device,
 * driver, options, source) and holds {@code SHA-256 of the rest | the key | the binary}. A binary
 * is code: the folder must be ours and closed to others, files appear whole, and one whose hash or
 * key is not right is removed and built anew. Where the folder cannot be had, nothing is kept.
 */
final class BinaryCache {
  private static final int HASH = 32;
  private static final Set<PosixFilePermission> PRIVATE =
      PosixFilePermissions.fromString("rwx------");

  private final Path folder;

  /**
   * A cache.
   *
   * @param folder made if it does not exist; null for no cache
   */
  BinaryCache(Path folder) {
    this.folder = folder == null || !isPrivate(folder) ? null : folder;
  }

  /** Whether anything is kept. */
  boolean keeps() {
    return folder != null;
  }

  /** The folder of this user: {@code sortie/opencl} under the cache folder of the OS. */
  static Path usual() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path caches =
        xdg == null || xdg.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(xdg);
    return caches.resolve("sortie").resolve("opencl");
  }

  /** What a program was made from, hashed. */
  record Key(byte[] hash) {}

  Key key(List<String> device, String options, String source) {
    MessageDigest sha = sha256();
    for (String part : device) {
      update(sha, part);
    }
    update(sha, options);
    update(sha, source);
    return new Key(sha.digest());
  }

  /** Each part with its length, so that no two lists of parts look alike. */
  private static void update(MessageDigest sha, String part) {
    byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
    sha.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
    sha.update(bytes);
  }

  /** The binary, or nothing. */
  byte[] load(Key key) {
    if (folder == null) {
      return new byte[0];
    }
    Path file = file(key);
    try {
      if (!Files.isRegularFile(file)) {
        return new byte[0];
      }
      byte[] all = Files.readAllBytes(file);
      if (all.length > 2 * HASH) {
        byte[] rest = Arrays.copyOfRange(all, HASH, all.length);
        byte[] hash = sha256().digest(rest);
        if (Arrays.equals(hash, Arrays.copyOf(all, HASH))
            && Arrays.equals(key.hash(), Arrays.copyOf(rest, HASH))) {
          return Arrays.copyOfRange(rest, HASH, rest.length);
        }
      }
      Files.delete(file);
    } catch (IOException e) {
      return new byte[0]; // a cache that cannot be read is an empty one
    }
    return new byte[0];
  }

  /** Keeps a binary. */
  void store(Key key, byte[] binary) {
    if (folder == null || binary.length == 0) {
      return;
    }
    byte[] rest = Arrays.copyOf(key.hash(), HASH + binary.length);
    System.arraycopy(binary, 0, rest, HASH, binary.length);
    byte[] all = Arrays.copyOf(sha256().digest(rest), HASH + rest.length);
    System.arraycopy(rest, 0, all, HASH, rest.length);
    Path part = null;
    try {
      part = Files.createTempFile(folder, "new", ".part");
      Files.write(part, all);
      Files.move(
          part, file(key), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      if (part != null) {
        part.toFile().delete(); // the next run builds again
      }
    }
  }

  /** Forgets a file. */
  void remove(Key key) {
    if (folder != null) {
      file(key).toFile().delete();
    }
  }

  Path file(Key key) {
    return folder.resolve(HexFormat.of().formatHex(key.hash()) + ".bin");
  }

  private static boolean isPrivate(Path folder) {
    try {
      Files.createDirectories(folder.toAbsolutePath().getParent());
      if (!Files.exists(folder)) {
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
          Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PRIVATE));
        } else {
          Files.createDirectory(folder);
        }
      }
      if (!Files.isDirectory(folder) || Files.isSymbolicLink(folder)) {
        return false;
      }
      if (!folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
        return Files.isWritable(folder);
      }
      boolean ours =
          Files.getOwner(folder).equals(Files.getOwner(Path.of(System.getProperty("user.home"))));
      return ours && PRIVATE.containsAll(Files.getPosixFilePermissions(folder));
    } catch (IOException e) {
      return false;
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
