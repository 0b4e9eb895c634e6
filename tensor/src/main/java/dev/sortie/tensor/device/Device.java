package dev.sortie.tensor.device;

import dev.sortie.tensor.concurrent.Cores;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/**
 * Where ops run: a kernel set and the threads it uses. Passed as a value; close it to end the
 * threads.
 *
 * @param kernels the kernel set
 * @param pool its threads
 */
public record Device(Kernels kernels, WorkerPool pool) implements AutoCloseable {

  /** The CPU with the chosen kernel set and one thread a physical core. */
  public static Device cpu() {
    return cpu(Cores.physical());
  }

  /** The CPU with the chosen kernel set and this many threads. */
  public static Device cpu(int threads) {
    WorkerPool pool = new WorkerPool(threads);
    try {
      return new Device(KernelSets.choose(pool), pool);
    } catch (RuntimeException e) {
      pool.close(); // a forced set that this machine lacks
      throw e;
    }
  }

  /**
   * The device that a word names: {@code cpu}, or one of a {@link DeviceProvider} such as {@code
   * opencl} or {@code opencl:1}, which leaves to the CPU what it cannot do.
   *
   * @param threads of the CPU
   * @throws IllegalArgumentException in one line, if there is no such device
   */
  public static Device named(String word, int threads) {
    Device cpu = cpu(threads);
    if (word.equals("cpu")) {
      return cpu;
    }
    try {
      return new Device(open(word, cpu.kernels()), cpu.pool());
    } catch (RuntimeException | Error e) {
      cpu.close();
      throw e;
    }
  }

  private static Kernels open(String word, Kernels host) {
    int colon = word.indexOf(':');
    String kind = colon < 0 ? word : word.substring(0, colon);
    String number = colon < 0 ? "0" : word.substring(colon + 1);
    List<String> known = new ArrayList<>(List.of("cpu"));
    try {
      for (DeviceProvider provider : ServiceLoader.load(DeviceProvider.class)) {
        String name = provider.name().toLowerCase(Locale.ROOT);
        known.add(name + "[:N]");
        if (name.equals(kind) && number.matches("\\d{1,4}")) {
          return provider.open(Integer.parseInt(number), host);
        }
      }
    } catch (ServiceConfigurationError e) {
      throw new IllegalArgumentException("a module for devices cannot be loaded: " + e, e);
    }
    throw new IllegalArgumentException(
        "device \"" + word + "\" is none of " + String.join(", ", known));
  }

  /** This device with kernels that are {@link Kernels#stepwise}; closing it closes this one. */
  public Device stepwise() {
    Kernels stepwise = kernels.stepwise();
    return stepwise == kernels ? this : new Device(stepwise, pool);
  }

  @Override
  public void close() {
    kernels.close();
    pool.close();
  }
}
