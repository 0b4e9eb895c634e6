package dev.sortie.parallel.comm.transport.shm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * The files of a job in a folder that all users of the machine may write. Their names are hashes
 * that need the job's own name, which is secret: who lists the folder cannot tell what the next
 * file will be called, and so cannot be there first. All begin with the job's mark, by which they
 * are found again.
 *
 * @param folder that all ranks see
 * @param job its name, which others cannot guess
 */
public record JobFiles(Path folder, String job) {
  private static final Set<PosixFilePermission> PRIVATE =
      PosixFilePermissions.fromString("rw-------");

  private static final int MARK_BYTES = 8;
  private static final int NAME_BYTES = 16;

  /** The file of this name. */
  Path path(String name) {
    return folder.resolve(mark() + hash("file " + name, NAME_BYTES));
  }

  private String mark() {
    return "sortie-" + hash("job", MARK_BYTES) + "-";
  }

  private String hash(String text, int bytes) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update((job + " ").getBytes(StandardCharsets.UTF_8));
      byte[] digest = sha.digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** With these a file is created for its owner alone. */
  static FileAttribute<?> onlyForUs() {
    return PosixFilePermissions.asFileAttribute(PRIVATE);
  }

  /**
   * Refuses a file that somebody else has made, or may read or write.
   *
   * @throws IOException that names the owner and the mode
   */
  void requirePrivate(Path file) throws IOException {
    PosixFileAttributes found =
        Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    UserPrincipal me = me();
    if (!found.owner().equals(me) || !found.permissions().equals(PRIVATE)) {
      throw new IOException(
          "it is of %s with mode %s, expected %s with %s; see who made it and delete it"
              .formatted(
                  found.owner().getName(),
                  PosixFilePermissions.toString(found.permissions()),
                  me.getName(),
                  PosixFilePermissions.toString(PRIVATE)));
    }
  }

  /** Who owns what this process creates. */
  private UserPrincipal me() throws IOException {
    Path probe = folder.resolve(mark() + UUID.randomUUID());
    try {
      Files.newByteChannel(
              probe, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), onlyForUs())
          .close();
      return Files.getOwner(probe, LinkOption.NOFOLLOW_LINKS);
    } finally {
      Files.deleteIfExists(probe);
    }
  }

  /** Files of the job that are still there. */
  public List<Path> left() throws IOException {
    List<Path> left = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, mark() + "*")) {
      files.forEach(left::add);
    }
    return left;
  }

  /** Deletes what ranks that were killed while they joined have left. */
  public void remove() throws IOException {
    for (Path file : left()) {
      try {
        Files.deleteIfExists(file);
      } catch (FileSystemException e) {
        // of another user, who has seen the mark: not the job's, and not ours to delete
        System.getLogger(JobFiles.class.getName())
            .log(System.Logger.Level.DEBUG, () -> file + " stays: " + e.getMessage());
      }
    }
  }
}
