package dev.sortie.eetuning.cli.base;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What the report of a defect needs, in a file of its own: for the user it is one line. */
final class FailureReport {
  private FailureReport() {}

  /**
   * Writes the report to a temporary file that its owner alone may read.
   *
   * @param version of this program
   * @param words of the command line
   * @return the file; empty where none can be written
   */
  static Optional<Path> write(String version, List<String> words, Throwable failure) {
    try {
      Path file = Files.createTempFile("sortie-report-", ".txt");
      return Optional.of(Files.writeString(file, text(version, words, failure)));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** All of it. */
  static String text(String version, List<String> words, Throwable failure) {
    StringWriter trace = new StringWriter();
    failure.printStackTrace(new PrintWriter(trace, true));
    return """
        %s
        command: %s
        java: %s %s
        flags: %s
        system: %s %s %s

        %s"""
        .formatted(
            version,
            String.join(" ", words),
            System.getProperty("java.vm.name"),
            Runtime.version(),
            String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()),
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            System.getProperty("os.arch"),
            trace);
  }
}
