package dev.sortie.parallel.launch;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Reads the lines of a process on a thread and passes them on with a prefix. A line may have no
 * end: a longer one is passed on in several.
 */
final class PrefixedOutput {
  /** Characters of a line. */
  static final int LONGEST = 1 << 16;

  private PrefixedOutput() {}

  /**
   * Begins to read.
   *
   * @param to takes each line
   * @param failed is told why {@code to} took no more; nothing is read then
   */
  static Thread start(
      InputStream from, String prefix, Consumer<String> to, Consumer<RuntimeException> failed) {
    return Thread.ofVirtual()
        .start(
            () -> {
              try {
                read(from, prefix, to);
              } catch (RuntimeException e) {
                failed.accept(e);
              }
            });
  }

  private static void read(InputStream from, String prefix, Consumer<String> to) {
    try (Reader reader = new InputStreamReader(from, StandardCharsets.UTF_8)) {
      char[] buffer = new char[LONGEST];
      StringBuilder line = new StringBuilder();
      boolean afterReturn = false;
      for (int n; (n = reader.read(buffer)) >= 0; ) {
        for (int i = 0; i < n; i++) {
          char c = buffer[i];
          boolean ends = c == '\r' || c == '\n' && !afterReturn;
          if (ends || line.length() == LONGEST) {
            to.accept(prefix + line);
            line.setLength(0);
          }
          if (c != '\r' && c != '\n') {
            line.append(c);
          }
          afterReturn = c == '\r';
        }
      }
      if (!line.isEmpty()) {
        to.accept(prefix + line);
      }
    } catch (IOException e) {
      to.accept(prefix + "(its output ended: " + e.getMessage() + ")");
    }
  }
}
