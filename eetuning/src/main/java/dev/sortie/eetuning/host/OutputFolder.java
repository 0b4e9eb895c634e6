package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.HeldFile;
import dev.sortie.nn.file.InputFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A folder of results that one process at a time writes. While it is open, its file {@code .lock}
 * is locked and names the process. The system takes the lock away when the process ends, however it
 * ends: a file that was left behind keeps nobody out.
 */
public final class OutputFolder implements AutoCloseable {
  private static final String LOCK = ".lock";
  private static final int LONGEST_HOLDER = 300;

  /** How often the holder's name is looked for, and the time between. */
  private static final int LOOKS = 100;

  private static final Duration PAUSE = Duration.ofMillis(50);

  /** Behind the text, which stays readable where locks keep readers out. */
  private static final long LOCKED_BYTE = 1 << 20;

  private final Path path;
  private final Path file;
  private HeldFile held;
  private boolean isNew;

  /** The folder is not touched before {@link #open}. */
  public OutputFolder(Path path) {
    this.path = path;
    this.file = path.resolve(LOCK);
  }

  /**
   * Creates the folder, if it is not there, and keeps other processes out until {@link #close}.
   *
   * @throws InputException if another one has it open, which is named, or it cannot be written
   */
  public void open() {
    try {
      while (held == null) {
        isNew |= Files.notExists(path);
        Folders.create(path);
        held = locked();
      }
    } catch (IOException e) {
      throw new InputException(
          "%s: cannot be locked: %s"
              .formatted(
                  file,
                  InputFiles.reason(
                      e, "give an --out that can be written, on a file system that has locks")),
          e);
    }
  }

  /**
   * The locked file; null if its last holder has just deleted it, and another one may have its name
   * now, or deleted the folder.
   */
  private HeldFile locked() throws IOException {
    Object before = identity();
    HeldFile opened;
    try {
      opened =
          HeldFile.open(
                  file,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE,
                  LinkOption.NOFOLLOW_LINKS)
              .orElseThrow(() -> taken(me()));
    } catch (NoSuchFileException e) {
      return null;
    }
    boolean keep = false;
    try {
      if (opened.channel().tryLock(LOCKED_BYTE, 1, false) == null) {
        throw taken(holder(opened.channel()));
      }
      // Not by opening it again: to close any channel of a file gives up all its locks.
      if (before != null && before.equals(identity())) {
        sign(opened.channel());
        keep = true;
      }
      return keep ? opened : null;
    } finally {
      if (!keep) {
        opened.close();
      }
    }
  }

  private InputException taken(String holder) {
    return new InputException(
        "%s: %s writes here; wait for its end, or give another --out".formatted(path, holder));
  }

  private static String me() {
    return "process %d on %s".formatted(ProcessHandle.current().pid(), hostName());
  }

  /** Writes who holds the lock; without room for that the file goes again. */
  private void sign(FileChannel opened) throws IOException {
    String text = "%s, since %s".formatted(me(), Instant.now().truncatedTo(ChronoUnit.SECONDS));
    try {
      opened.truncate(0);
      AtomicFiles.writeFully(opened, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    } catch (IOException e) {
      Files.delete(file);
      throw e;
    }
  }

  /** What tells the file from others that had its name; null while there is none. */
  private Object identity() throws IOException {
    try {
      Object key =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
              .fileKey();
      return key == null ? file : key; // a system without keys does not delete open files
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** Who has just locked the file may not have written its name yet. */
  private static String holder(FileChannel opened) throws IOException {
    for (int look = 0; look < LOOKS; look++) {
      ByteBuffer text = ByteBuffer.allocate(LONGEST_HOLDER);
      opened.read(text, 0);
      String holder = new String(text.array(), 0, text.position(), StandardCharsets.UTF_8);
      if (!holder.isBlank()) {
        return Printable.line(holder);
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
    return "another process";
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "an unnamed host";
    }
  }

  /** Lets others in. A folder that was created here and is still empty goes again. */
  @Override
  public void close() {
    if (held == null) {
      return;
    }
    try (HeldFile _ = held) {
      Files.deleteIfExists(file); // before the lock is gone: the next one has a file of its own
      if (isNew) {
        deleteIfEmpty();
      }
    } catch (IOException e) {
      throw new InputException(file + ": cannot be removed: " + InputFiles.reason(e), e);
    }
  }

  private void deleteIfEmpty() throws IOException {
    try {
      Files.delete(path);
    } catch (DirectoryNotEmptyException e) {
      // results are in it
    }
  }
}
