package dev.sortie.eetuning.cli.view;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * Settings of the terminal that hold while this is open, also where the JVM ends meanwhile. Where
 * there is no terminal, or its settings cannot be changed, nothing happens.
 */
final class TerminalMode implements AutoCloseable {
  private static final File TERMINAL = new File("/dev/tty");

  private final String saved;
  private final Thread hook = new Thread(this::restore, "sortie-terminal");

  /**
   * @param settings as stty takes them
   */
  TerminalMode(String... settings) {
    this.saved = stty("-g");
    if (isChanged()) {
      Runtime.getRuntime().addShutdownHook(hook);
      stty(settings);
    }
  }

  /** Whether the settings hold. */
  boolean isChanged() {
    return !saved.isEmpty();
  }

  private void restore() {
    stty(saved);
  }

  @Override
  public void close() {
    if (isChanged()) {
      restore();
      Runtime.getRuntime().removeShutdownHook(hook);
    }
  }

  /** What stty says; nothing where it fails. */
  private static String stty(String... arguments) {
    if (!TERMINAL.canRead()) {
      return "";
    }
    try {
      Process stty =
          new ProcessBuilder(concat(arguments))
              .redirectInput(TERMINAL)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (InputStream out = stty.getInputStream()) {
        String said = new String(out.readAllBytes(), StandardCharsets.US_ASCII).strip();
        return stty.waitFor(1, TimeUnit.SECONDS) && stty.exitValue() == 0 ? said : "";
      }
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  private static String[] concat(String[] arguments) {
    String[] command = new String[arguments.length + 1];
    command[0] = "stty";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    return command;
  }
}
