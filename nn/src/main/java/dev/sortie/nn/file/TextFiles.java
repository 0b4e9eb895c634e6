package dev.sortie.nn.file;

import dev.sortie.nn.InputException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Texts as they are, in strict UTF-8, from whatever {@link NamedInput} reads. */
public final class TextFiles {
  /** Bytes of a text that is held in memory to be measured; longer ones are read in parts. */
  public static final int CORPUS = 256 << 20;

  /** Bytes of a text that is held in memory otherwise, such as a prompt. */
  private static final int MAX_BYTES = 64 << 20;

  private static final int BUFFER = 1 << 16;

  private TextFiles() {}

  /**
   * The text of a file, unchanged to the last byte.
   *
   * @throws InputException if it cannot be read, is empty, is too large or is not UTF-8
   */
  public static String read(Path file) {
    return nonEmpty(file, readAny(file));
  }

  /** The same with another limit in bytes, such as {@link #CORPUS}. */
  public static String read(Path file, int maxBytes) {
    return nonEmpty(file, readAny(file, maxBytes));
  }

  private static String nonEmpty(Path file, String text) {
    requireText(file, !text.isEmpty());
    return text;
  }

  private static void requireText(Path file, boolean any) {
    if (!any) {
      throw new InputException(
          NamedInput.name(file) + ": is empty; a text of at least one character is needed");
    }
  }

  /**
   * The text of a file, which may be empty.
   *
   * @throws InputException if it cannot be read, is too large or is not UTF-8
   */
  public static String readAny(Path file) {
    return readAny(file, MAX_BYTES);
  }

  private static String readAny(Path file, int maxBytes) {
    byte[] bytes = NamedInput.read(file, maxBytes);
    StringBuilder text = new StringBuilder(bytes.length);
    Decoding decoding = new Decoding(NamedInput.name(file), text::append);
    decoding.add(ByteBuffer.wrap(bytes));
    decoding.end();
    return text.toString();
  }

  /**
   * Reads a text of any length, which is never whole in memory.
   *
   * @param parts takes the text part by part; no part ends within a character
   * @throws InputException if it cannot be read, is empty or is not UTF-8
   */
  public static void parts(Path file, Consumer<String> parts) {
    boolean any =
        NamedInput.reading(
            file,
            in -> {
              Decoding decoding = new Decoding(NamedInput.name(file), parts);
              byte[] bytes = new byte[BUFFER];
              for (int n; (n = in.read(bytes)) >= 0; ) {
                decoding.add(ByteBuffer.wrap(bytes, 0, n));
              }
              return decoding.end();
            });
    requireText(file, any);
  }

  /** Strict decoding of bytes that come in several buffers. */
  private static final class Decoding {
    private final String name;
    private final Consumer<String> parts;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private final CharBuffer out = CharBuffer.allocate(BUFFER);

    /** Bytes of a character that is not there whole yet. */
    private ByteBuffer begun = ByteBuffer.allocate(0);

    /** Of the first byte in the buffer. */
    private long offset;

    private boolean any;

    Decoding(String name, Consumer<String> parts) {
      this.name = name;
      this.parts = parts;
    }

    void add(ByteBuffer more) {
      ByteBuffer in = more;
      if (begun.hasRemaining()) {
        in = ByteBuffer.allocate(begun.remaining() + more.remaining());
        in.put(begun).put(more).flip();
      }
      decode(in, false);
      begun = ByteBuffer.allocate(in.remaining()).put(in).flip();
    }

    /** Whether there was any text. */
    boolean end() {
      decode(begun, true);
      return any;
    }

    private void decode(ByteBuffer in, boolean atEnd) {
      int start = in.position();
      boolean full;
      do {
        var result = decoder.decode(in, out, atEnd);
        if (result.isError()) {
          throw new InputException(
              "%s: byte 0x%02X at offset %d is not UTF-8; convert the text to UTF-8"
                  .formatted(name, in.get(in.position()) & 0xFF, offset + in.position() - start));
        }
        full = result.isOverflow();
        out.flip();
        if (out.hasRemaining()) {
          any = true;
          parts.accept(out.toString());
        }
        out.clear();
      } while (full);
      offset += in.position() - start;
    }
  }
}
