package dev.sortie.eetuning.cli.view;

import java.io.IOException;
import java.io.InputStream;

/**
 * Ctrl-C as a key. While this is open, the terminal passes keys on at once and unseen instead of
 * turning that one into a signal, which would end the JVM: Java has no supported way to catch
 * signals. Where the terminal's settings cannot be changed, the signal stays.
 */
public final class TerminalKeys implements AutoCloseable {
  private static final int CTRL_C = 3;

  private final InputStream in;
  private final TerminalMode mode = new TerminalMode("-isig", "-icanon", "-echo");
  private boolean pressed;

  /**
   * @param in where the keys arrive
   */
  public TerminalKeys(InputStream in) {
    this.in = in;
  }

  /** Whether Ctrl-C was pressed; other keys are dropped. */
  public boolean interrupted() {
    try {
      while (mode.isChanged() && !pressed && in.available() > 0) {
        pressed = in.read() == CTRL_C;
      }
    } catch (IOException e) {
      pressed = true; // the terminal is gone, and with it whoever reads the answer
    }
    return pressed;
  }

  @Override
  public void close() {
    mode.close();
  }
}
