package dev.sortie.nn.file;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Files that appear whole or not at all. The bytes go to a temporary file next to the target, are
 * forced to the disk, and take the target's name in one step; then the folder is forced. Who has
 * the old file open or mapped keeps the old bytes, and a crash leaves the old file or the new one.
 */
public final class AtomicFiles {
  private static final String SUFFIX = ".tmp";
  private static final Pattern TEMPORARY =
      Pattern.compile("\\.(.+?)(\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?\\.tmp");
  private static final int CHUNK = 64 << 20;

  private AtomicFiles() {}

  /** Writes the content of a file, from its start. */
  @FunctionalInterface
  public interface Body {
    /** Writes everything to {@code out}. */
    void writeTo(FileChannel out) throws IOException;
  }

  /** Writes {@code bytes} to {@code target}, replacing a file that is there. */
  public static void write(Path target, byte[] bytes) {
    write(target, out -> writeFully(out, ByteBuffer.wrap(bytes)));
  }

  /**
   * Writes what {@code body} gives to {@code target}, replacing a file that is there, or a symbolic
   * link to one. If {@code body} fails, the target is as before. A device or a named pipe is not
   * replaced: it gets the bytes one after another.
   *
   * @throws InputException if the disk or the permissions do not allow it
   */
  public static void write(Path target, Body body) {
    Path folder = requireFolder(target);
    if (Files.isDirectory(target)) {
      throw new InputException(target + ": cannot be written: it is a folder; name a file");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      writeThrough(target, body);
      return;
    }
    Path temporary = temporary(target);
    try {
      try (FileChannel out =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        body.writeTo(out);
        out.force(true);
      }
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      force(folder);
    } catch (IOException e) {
      throw refused(target, e);
    } finally {
      deleteQuietly(temporary);
    }
  }

  private static void writeThrough(Path device, Body body) {
    try (FileChannel out = FileChannel.open(device, StandardOpenOption.WRITE)) {
      body.writeTo(out);
    } catch (IOException e) {
      throw refused(device, e);
    }
  }

  /**
   * Makes a folder whose files {@code body} writes. It lies under another name next to {@code
   * target} until all are there.
   *
   * @throws InputException if {@code target} is there already, or the disk or the permissions do
   *     not allow it
   */
  public static void writeFolder(Path target, Consumer<Path> body) {
    Path whole = target.toAbsolutePath().normalize();
    requireFolder(target, whole.getParent());
    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new InputException(target + ": is there already; name another folder");
    }
    Path temporary = temporary(whole);
    try {
      Files.createDirectory(temporary);
      body.accept(temporary);
      moveFolder(temporary, whole);
    } catch (IOException e) {
      throw refused(target, e);
    } finally {
      deleteQuietly(temporary);
    }
  }

  /**
   * A name of its own next to {@code target} for what is to take its place. Not that of {@link
   * Files#createTempFile}, whose owner-only permissions would stay with the result.
   */
  public static Path temporary(Path target) {
    return target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + SUFFIX);
  }

  /** The one name next to {@code target} for a folder that several processes write together. */
  public static Path sharedTemporary(Path target) {
    return target.resolveSibling("." + target.getFileName() + SUFFIX);
  }

  /** Whether {@code file} has a name that these methods give for a target of that name. */
  public static boolean isTemporary(Path file, Predicate<String> target) {
    Matcher name = TEMPORARY.matcher(file.getFileName().toString());
    return name.matches() && target.test(name.group(1));
  }

  /**
   * Deletes a file, or a folder and the files in it. A symbolic link is deleted itself, and nothing
   * after it; folders in a folder are not what these methods write and are left alone.
   *
   * @throws InputException if something cannot be deleted, or is such a folder
   */
  public static void delete(Path old) {
    try {
      deleteAll(old);
    } catch (IOException e) {
      throw new InputException(
          "%s: cannot be deleted: %s; check what is in it and its permissions"
              .formatted(old, InputFiles.reason(e)),
          e);
    }
  }

  private static void deleteAll(Path old) throws IOException {
    if (Files.isDirectory(old, LinkOption.NOFOLLOW_LINKS)) {
      try (Stream<Path> files = Files.list(old)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
    }
    Files.deleteIfExists(old);
  }

  /**
   * Gives a folder its name in one step, and makes that durable. Its files must be on the disk, and
   * {@code target} must not be there.
   *
   * @throws InputException if the disk or the permissions do not allow it
   */
  public static void moveFolder(Path written, Path target) {
    try {
      Files.move(written, target, StandardCopyOption.ATOMIC_MOVE);
      force(target.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw refused(target, e);
    }
  }

  /** Writes all that remains in {@code bytes}. */
  public static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  /** Writes memory of any size. */
  public static void writeFully(FileChannel out, MemorySegment data) throws IOException {
    for (long at = 0; at < data.byteSize(); at += CHUNK) {
      long count = Math.min(CHUNK, data.byteSize() - at);
      writeFully(out, data.asSlice(at, count).asByteBuffer());
    }
  }

  /** The folder of a file to be, which must be there. */
  public static Path requireFolder(Path target) {
    return requireFolder(target, target.toAbsolutePath().getParent());
  }

  private static Path requireFolder(Path target, Path folder) {
    if (folder == null || !Files.isDirectory(folder)) {
      throw new InputException(
          target + ": cannot be written: there is no folder " + folder + "; create it");
    }
    return folder;
  }

  private static InputException refused(Path target, IOException e) {
    return new InputException(
        "%s: cannot be written: %s"
            .formatted(target, InputFiles.reason(e, "check free space and permissions")),
        e);
  }

  /**
   * Makes new names in a folder durable. Only POSIX systems let a folder be opened and forced.
   *
   * @throws IOException if it cannot be opened
   */
  public static void force(Path folder) throws IOException {
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  /**
   * After success there is nothing to delete; after a failure that failure is the one to report.
   */
  private static void deleteQuietly(Path temporary) {
    try {
      deleteAll(temporary);
    } catch (IOException e) {
      System.getLogger(AtomicFiles.class.getName())
          .log(System.Logger.Level.WARNING, "{0}: could not be deleted", temporary);
    }
  }
}
