package dev.sortie.nn.file;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Text files as they are, in strict UTF-8. */
public final class TextFiles {
  /** A text is one array in memory, so a larger corpus must come as several files. */
  private static final long MAX_BYTES = 1L << 30;

  private TextFiles() {}

  /**
   * The text of a file, unchanged to the last byte.
   *
   * @throws InputException if it cannot be read, is empty, is too large or is not UTF-8
   */
  public static String read(Path file) {
    try {
      long size = Files.size(file);
      if (size > MAX_BYTES) {
        throw new InputException(
            file + ": " + size + " bytes, more than the limit " + MAX_BYTES + "; split the file");
      }
      return decode(file, Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new InputException(file + ": no such file", e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read as text: " + e.getMessage(), e);
    }
  }

  private static String decode(Path file, byte[] bytes) {
    if (bytes.length == 0) {
      throw new InputException(file + ": is empty; a text of at least one character is needed");
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    if (decoder.decode(in, out, true).isError()) {
      throw new InputException(
          "%s: byte 0x%02X at offset %d is not UTF-8; convert the file to UTF-8"
              .formatted(file, in.get(in.position()) & 0xFF, in.position()));
    }
    return out.flip().toString();
  }
}
