package dev.sortie.nn.file;

import dev.sortie.nn.InputException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Texts as they are, in strict UTF-8, from whatever {@link NamedInput} reads. */
public final class TextFiles {
  /** A text is one array in memory, so a larger corpus must come as several files. */
  private static final int MAX_BYTES = 1 << 30;

  private TextFiles() {}

  /**
   * The text of a file, unchanged to the last byte.
   *
   * @throws InputException if it cannot be read, is empty, is too large or is not UTF-8
   */
  public static String read(Path file) {
    String text = readAny(file);
    if (text.isEmpty()) {
      throw new InputException(
          NamedInput.name(file) + ": is empty; a text of at least one character is needed");
    }
    return text;
  }

  /**
   * The text of a file, which may be empty.
   *
   * @throws InputException if it cannot be read, is too large or is not UTF-8
   */
  public static String readAny(Path file) {
    byte[] bytes = NamedInput.read(file, MAX_BYTES);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    if (decoder.decode(in, out, true).isError()) {
      throw new InputException(
          "%s: byte 0x%02X at offset %d is not UTF-8; convert the text to UTF-8"
              .formatted(NamedInput.name(file), in.get(in.position()) & 0xFF, in.position()));
    }
    return out.flip().toString();
  }
}
