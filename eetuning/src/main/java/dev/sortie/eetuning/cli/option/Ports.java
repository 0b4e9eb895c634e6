package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.UsageException;

/** Which numbers are ports. */
public final class Ports {
  private static final int MOST = 65_535;

  private Ports() {}

  /** Fails unless one can listen at {@code --port}; 0 asks the system for a free one. */
  public static void requireListening(int port) {
    if (port < 0 || port > MOST) {
      throw new UsageException("--port " + port + " is outside 0 to " + MOST);
    }
  }

  /**
   * The port that was written after a host.
   *
   * @param option with its value, for the message
   */
  static int called(String option, String digits) {
    int port = Integer.parseInt(digits);
    if (port < 1 || port > MOST) {
      throw new UsageException(option + ": the port is outside 1 to " + MOST);
    }
    return port;
  }
}
