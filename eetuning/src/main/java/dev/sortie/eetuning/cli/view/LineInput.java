package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/**
 * Lines of UTF-8 from a stream, and never a byte more than a line: what follows stays there for
 * others to read, such as the keys that are pressed during an answer.
 */
public final class LineInput {
  private final InputStream in;
  private final LineBytes line = new LineBytes();

  public LineInput(InputStream in) {
    this.in = in;
  }

  /** The next line without its end; empty at the end of the stream. */
  public Optional<String> next() {
    line.begin();
    try {
      int b = in.read();
      if (b < 0) {
        return Optional.empty();
      }
      for (; b >= 0 && b != '\n'; b = in.read()) {
        line.add(b);
      }
    } catch (IOException e) {
      throw new InputException("standard input cannot be read: " + e.getMessage(), e);
    }
    String text = line.text();
    return Optional.of(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
  }
}
