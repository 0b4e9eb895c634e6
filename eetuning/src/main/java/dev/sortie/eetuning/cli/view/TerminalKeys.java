package dev.sortie.eetuning.cli.view;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C as a key. While this is open, the terminal passes keys on at once and unseen instead of
 * turning that one into a signal, which would end the JVM: Java has no supported way to catch
 * signals. Where the terminal's settings cannot be changed, the signal stays.
 */
public final class TerminalKeys implements AutoCloseable {
  private static final File TERMINAL = new File("/dev/tty");
  private static final int CTRL_C = 3;

  private final InputStream in;
  private final String saved;
  private final Thread hook = new Thread(this::restore, "sortie-terminal");
  private boolean pressed;

  /**
   * @param in where the keys arrive
   */
  public TerminalKeys(InputStream in) {
    this.in = in;
    this.saved = stty("-g");
    if (!saved.isEmpty()) {
      Runtime.getRuntime().addShutdownHook(hook);
      stty("-isig", "-icanon", "-echo");
    }
  }

  /** Whether Ctrl-C was pressed; other keys are dropped. */
  public boolean interrupted() {
    try {
      while (!saved.isEmpty() && !pressed && in.available() > 0) {
        pressed = in.read() == CTRL_C;
      }
    } catch (IOException e) {
      pressed = true; // the terminal is gone, and with it whoever reads the answer
    }
    return pressed;
  }

  private void restore() {
    stty(saved);
  }

  @Override
  public void close() {
    if (!saved.isEmpty()) {
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
