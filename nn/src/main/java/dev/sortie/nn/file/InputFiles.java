package dev.sortie.nn.file;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opening of files that a user named, with messages instead of stack traces. */
public final class InputFiles {
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

  /** All bytes of a file of at most {@code limit} bytes. */
  public static byte[] readAll(Path file, int limit) {
    requireRegular(file);
    try (InputStream in = Files.newInputStream(file)) {
      long size = Files.size(file);
      byte[] bytes = size > limit ? new byte[0] : in.readNBytes(limit + 1);
      if (size > limit || bytes.length > limit) {
        throw new InputException(
            "%s: has %d bytes, at most %d are allowed"
                .formatted(file, Math.max(size, bytes.length), limit));
      }
      return bytes;
    } catch (IOException e) {
      throw cannotRead(file, e);
    }
  }

  /** The refusal of a file that cannot be read. */
  public static InputException cannotRead(Path file, IOException cause) {
    return new InputException(
        "%s: cannot be read: %s; check the disk and permissions".formatted(file, reason(cause)),
        cause);
  }

  /** What an exception says, on one line. */
  public static String reason(IOException e) {
    return Printable.line(
        e.getClass().getSimpleName() + (e.getMessage() == null ? "" : " " + e.getMessage()));
  }
}
