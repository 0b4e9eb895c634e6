package dev.sortie.eetuning.cli;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.concurrent.Cores;
import picocli.CommandLine.Option;

/** Options of all commands that compute. */
public final class ComputeOptions {
  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads; one for each physical core by default, shared out among the ranks of a job.")
  private Integer threads;

  /** For picocli. */
  public ComputeOptions() {}

  /** Threads asked for. */
  public int threads() {
    return threads(1);
  }

  private int threads(int ranks) {
    int n = threads == null ? Math.max(1, Cores.physical() / ranks) : threads;
    if (n < 1 || n > 1024) {
      throw new InputException("--threads " + n + " is outside 1 to 1024");
    }
    return n;
  }

  /** The device, to be closed. */
  public Device open() {
    return open(1);
  }

  /** As above, for one of several ranks that share this machine's cores. */
  Device open(int ranks) {
    int n = threads(ranks);
    try {
      return Device.cpu(n);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new InputException(
          e.getMessage(), e); // a kernel set was forced that this machine has not
    }
  }
}
