package dev.sortie.nn.file;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Text or JSON that a user names to be read: a file, a pipe, a FIFO, the {@code /dev/fd/63} of a
 * process substitution, or {@code -} for the standard input of this process. It is read from its
 * first byte to its last, once: what is not a regular file gives its bytes only once. Files that
 * belong to a model are not read through here but must be regular ({@link InputFiles}).
 */
public final class NamedInput {
  private static final String STANDARD = "-";

  private NamedInput() {}

  /** Whether {@code named} is the word for standard input; {@code ./-} is a file. */
  public static boolean isStandard(Path named) {
    return named.toString().equals(STANDARD);
  }

  /** Whether {@code named} can be read again and again. */
  public static boolean isRegular(Path named) {
    return !isStandard(named) && Files.isRegularFile(named);
  }

  /** What messages and reports call it. */
  public static String name(Path named) {
    return isStandard(named) ? "standard input" : named.toString();
  }

  /**
   * All bytes.
   *
   * @param limit how many at most; also of what has no end
   * @throws InputException if it is not there, is a folder, cannot be read or is longer
   */
  public static byte[] read(Path named, int limit) {
    return reading(
        named,
        in -> {
          if (isRegular(named)) {
            InputFiles.requireWithin(name(named), "", Files.size(named), limit);
          }
          return InputFiles.read(in, name(named), limit);
        });
  }

  /** Reads a stream. */
  @FunctionalInterface
  interface Reading<T> {
    T read(InputStream in) throws IOException;
  }

  /**
   * Reads from the first byte on.
   *
   * @throws InputException if it is not there, is a folder or cannot be read
   */
  static <T> T reading(Path named, Reading<T> reading) {
    if (isStandard(named)) {
      try {
        return reading.read(System.in); // stays open: it belongs to the process
      } catch (IOException e) {
        throw new InputException("standard input cannot be read: " + InputFiles.reason(e), e);
      }
    }
    if (!Files.exists(named)) {
      throw new InputException(named + ": no such file; check the path");
    }
    if (Files.isDirectory(named)) {
      throw new InputException(named + ": is a folder; name a file");
    }
    if (!Files.isReadable(named)) {
      throw new InputException(named + ": may not be read; check its permissions");
    }
    try (InputStream in = Files.newInputStream(named)) {
      return reading.read(in);
    } catch (IOException e) {
      throw InputFiles.cannotRead(named, e);
    }
  }
}
