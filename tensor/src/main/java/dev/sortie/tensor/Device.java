package dev.sortie.tensor;

import dev.sortie.tensor.concurrent.Cores;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.KernelSets;
import dev.sortie.tensor.kernel.Kernels;

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

  @Override
  public void close() {
    pool.close();
  }
}
