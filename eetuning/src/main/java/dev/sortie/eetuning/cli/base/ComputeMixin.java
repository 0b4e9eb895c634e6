package dev.sortie.eetuning.cli.base;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.tensor.concurrent.Cores;
import dev.sortie.tensor.device.Device;
import picocli.CommandLine.Option;

/** Options of all commands that compute. */
public final class ComputeMixin {
  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Number of threads. Default: one per physical core, divided among the "
              + "ranks of a job.")
  private Integer threads;

  @Option(
      names = "--device",
      paramLabel = "D",
      defaultValue = "cpu",
      description =
          "Device: cpu, opencl or opencl:N; see doctor for a list. Default: " + "${DEFAULT-VALUE}.")
  private String device;

  /** For picocli. */
  public ComputeMixin() {}

  /** Threads asked for. */
  public int threads() {
    return threads(1);
  }

  private int threads(int ranks) {
    int n = threads == null ? Math.max(1, Cores.physical() / ranks) : threads;
    if (n < 1 || n > 1024) {
      throw new UsageException("--threads " + n + " is outside 1 to 1024");
    }
    return n;
  }

  /** The device as it was named. */
  public String device() {
    return device;
  }

  /** The device, to be closed. */
  public Device open() {
    return open(1);
  }

  /** As above, for one of several ranks that share this machine's cores. */
  public Device open(int ranks) {
    int n = threads(ranks);
    try {
      return Device.named(device, n);
    } catch (IllegalArgumentException e) { // no such word
      throw new UsageException(e.getMessage(), e);
    } catch (IllegalStateException e) {
      // a device, or a kernel set that was forced, which this machine has not
      throw new InputException(e.getMessage(), e);
    }
  }
}
