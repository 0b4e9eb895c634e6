package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.InputFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Lines that are appended to a file as they come, from many threads; a file that rotates may be
 * cut.
 */
public final class LogFile implements AutoCloseable {
  private final PrintWriter out;

  private LogFile(PrintWriter out) {
    this.out = out;
  }

  /**
   * Opens a file.
   *
   * @param file null where nothing is to be written
   */
  public static LogFile open(Path file) {
    if (file == null) {
      return new LogFile(new PrintWriter(Writer.nullWriter()));
    }
    try {
      return new LogFile(
          new PrintWriter(
              Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)));
    } catch (IOException e) {
      throw new InputException(file + ": cannot be appended to: " + InputFiles.reason(e), e);
    }
  }

  /** Writes a line. */
  public synchronized void line(String line) {
    out.print(line + "\n");
    out.flush();
  }

  @Override
  public void close() {
    out.close();
  }
}
