package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.InputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Lines of UTF-8 from a stream, and never a byte more than a line: what follows stays there for
 * others to read, such as the keys that are pressed during an answer.
 */
public final class LineInput {
  private static final int LONGEST = 16 << 20;

  private final InputStream in;
  private int line;

  public LineInput(InputStream in) {
    this.in = in;
  }

  /** The next line without its end; empty at the end of the stream. */
  public Optional<String> next() {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      int b = in.read();
      if (b < 0) {
        return Optional.empty();
      }
      line++;
      for (; b >= 0 && b != '\n'; b = in.read()) {
        if (bytes.size() == LONGEST) {
          throw new InputException(
              "standard input: line " + line + " has more than " + LONGEST + " bytes");
        }
        bytes.write(b);
      }
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(bytes.toByteArray()))
              .toString();
      return Optional.of(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
    } catch (CharacterCodingException e) {
      throw new InputException("standard input: line " + line + " is not UTF-8 text", e);
    } catch (IOException e) {
      throw new InputException("standard input cannot be read: " + e.getMessage(), e);
    }
  }
}
