package dev.sortie.nn.file;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Opening of files that a user named, with messages instead of stack traces. */
public final class InputFiles {
  private static final int CHUNK = 1 << 20;

  private InputFiles() {}

  /**
   * Fails unless {@code file} is a regular file that may be read; a pipe or device could block or
   * never end.
   */
  public static void requireRegular(Path file) {
    if (!Files.exists(file)) {
      throw new InputException(file + ": no such file; check the path");
    }
    if (!Files.isRegularFile(file)) {
      throw new InputException(file + ": is not a regular file; name a file");
    }
    if (!Files.isReadable(file)) {
      throw new InputException(file + ": may not be read; check its permissions");
    }
  }

  /** All bytes of a regular file of at most {@code limit} bytes. */
  public static byte[] readAll(Path file, int limit) {
    requireRegular(file);
    try (InputStream in = Files.newInputStream(file)) {
      requireWithin(file.toString(), "", Files.size(file), limit);
      return read(in, file.toString(), limit);
    } catch (IOException e) {
      throw cannotRead(file, e);
    }
  }

  /** All bytes of a stream, which may have no end: no more than {@code limit} are kept. */
  static byte[] read(InputStream in, String name, int limit) throws IOException {
    List<byte[]> chunks = new ArrayList<>();
    long size = 0;
    for (byte[] c = in.readNBytes(CHUNK); c.length > 0; c = in.readNBytes(CHUNK)) {
      size += c.length;
      requireWithin(name, "at least ", size, limit);
      chunks.add(c);
    }
    byte[] all = new byte[(int) size];
    int at = 0;
    for (byte[] c : chunks) {
      System.arraycopy(c, 0, all, at, c.length);
      at += c.length;
    }
    return all;
  }

  static void requireWithin(String name, String least, long size, int limit) {
    if (size > limit) {
      throw new InputException(
          "%s: has %s%d bytes, at most %d are allowed; give less, or several files"
              .formatted(name, least, size, limit));
    }
  }

  /** The refusal of a file that cannot be read. */
  public static InputException cannotRead(Path file, IOException cause) {
    return new InputException(
        "%s: cannot be read: %s".formatted(file, reason(cause, "check the disk and permissions")),
        cause);
  }

  /**
   * What went wrong and what to do about it.
   *
   * @param advice for all but a thread that was interrupted, which closes files that it uses
   */
  public static String reason(IOException e, String advice) {
    return e instanceof ClosedByInterruptException
        ? "the thread was interrupted; call again where it is not"
        : reason(e) + "; " + advice;
  }

  /** What an exception says, on one line, without the file: the message around it names that. */
  public static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "there is no such file or folder";
      case AccessDeniedException _ -> "permission denied";
      case FileAlreadyExistsException _ -> "there is such a file already";
      case NotDirectoryException _ -> "it is not a folder";
      case DirectoryNotEmptyException _ -> "the folder is not empty";
      case FileSystemException f when f.getReason() != null -> Printable.line(f.getReason());
      default -> Printable.line(said(e));
    };
  }

  private static String said(IOException e) {
    String name = e.getClass().getSimpleName();
    if (e.getMessage() == null) {
      return name;
    }
    return e.getClass() == IOException.class ? e.getMessage() : name + " " + e.getMessage();
  }
}
