package dev.sortie.parallel.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Reads the lines of a process on a thread and passes them on with a prefix. */
final class PrefixedOutput {
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
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; ) {
        to.accept(prefix + line);
      }
    } catch (IOException e) {
      to.accept(prefix + "(its output ended: " + e.getMessage() + ")");
    }
  }
}
