package dev.sortie.eetuning.cli.view;

import java.io.Console;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** What stands behind the standard streams: a person at a terminal, or a file, a pipe, a log. */
public final class TerminalStreams {
  private static final int DEFAULT_COLUMNS = 80;

  private TerminalStreams() {}

  /** Whether standard input comes from a terminal. */
  public static boolean inputIsTerminal() {
    return isTerminal(0);
  }

  /** Whether standard output goes to a terminal. */
  static boolean outputIsTerminal() {
    return isTerminal(1);
  }

  /** Whether standard error goes to a terminal. */
  static boolean errorIsTerminal() {
    return isTerminal(2);
  }

  /** Whether colours are wanted, by the convention of no-color.org and the terminal's own name. */
  static boolean coloursWanted() {
    String noColor = System.getenv("NO_COLOR");
    return (noColor == null || noColor.isEmpty()) && !"dumb".equals(System.getenv("TERM"));
  }

  /**
   * Java's console answers for input and output together. Linux tells for each stream by the name
   * of what it is open on.
   */
  private static boolean isTerminal(int descriptor) {
    Path link = Path.of("/proc/self/fd/" + descriptor);
    if (Files.isSymbolicLink(link)) {
      try {
        String target = Files.readSymbolicLink(link).toString();
        return target.startsWith("/dev/pts/")
            || target.startsWith("/dev/tty")
            || target.equals("/dev/console");
      } catch (IOException e) {
        return false;
      }
    }
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** Columns of the terminal: COLUMNS, else what stty says, else 80. */
  static int columns() {
    int exported = columns(System.getenv("COLUMNS"));
    return exported > 0 ? exported : columnsOfStty();
  }

  private static int columnsOfStty() {
    File terminal = new File("/dev/tty");
    if (!terminal.canRead()) {
      return DEFAULT_COLUMNS;
    }
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(terminal)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (var out = stty.getInputStream()) {
        if (!stty.waitFor(1, TimeUnit.SECONDS)) {
          stty.destroyForcibly();
          return DEFAULT_COLUMNS;
        }
        String[] size =
            new String(out.readAllBytes(), StandardCharsets.US_ASCII).strip().split(" ");
        int columns = columns(size[size.length - 1]);
        return columns > 0 ? columns : DEFAULT_COLUMNS;
      }
    } catch (IOException e) {
      return DEFAULT_COLUMNS;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return DEFAULT_COLUMNS;
    }
  }

  /** A number of columns that a line fits into, or 0 if the text is none. */
  private static int columns(String text) {
    return text != null && text.matches("[1-9][0-9]{1,3}") ? Integer.parseInt(text) : 0;
  }
}
