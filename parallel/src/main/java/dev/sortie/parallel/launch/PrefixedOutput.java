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

  static Thread start(InputStream from, String prefix, Consumer<String> to) {
    return Thread.ofVirtual().start(() -> read(from, prefix, to));
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
