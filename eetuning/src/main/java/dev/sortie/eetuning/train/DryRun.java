package dev.sortie.eetuning.train;

import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.DryKernels;

/**
 * How much memory training takes on each rank, found by running the steps of that rank on kernels
 * that compute nothing, with a communicator that moves nothing. All that the trainer allocates is
 * reserved and hardly any of it touched, so that a dry run may be of a model that does not fit.
 */
public interface DryRun {
  /**
   * What a dry run does not see: the JVM's heap, code and tables, and the kernels' own buffers.
   * Measured; see docs/memory.md.
   */
  long JVM = 224L << 20;

  /** Larger ones are not looked for. */
  int MOST_MICRO_BATCH = 1 << 16;

  /**
   * Steps after which every buffer has been taken: the second one adds to the state of the first.
   */
  int STEPS = 2;

  /** All ranks. */
  Mesh mesh();

  /** Sequences in a micro-batch of the run. */
  int microBatch();

  /** A rank's memory with another micro-batch, in as many rounds a step. */
  RankMemory of(Coordinates at, int microBatch);

  /** A rank's memory. */
  default RankMemory of(Coordinates at) {
    return of(at, microBatch());
  }

  /**
   * The most sequences in a micro-batch with which a rank takes no more than {@code bytes}; 0:
   * none.
   */
  default int largestMicroBatch(Coordinates at, long bytes) {
    int fits = 0;
    int step = 1;
    while (fits + step <= MOST_MICRO_BATCH && fits(at, fits + step, bytes)) {
      fits += step;
      step *= 2;
    }
    for (; step > 0; step /= 2) {
      if (fits + step <= MOST_MICRO_BATCH && fits(at, fits + step, bytes)) {
        fits += step;
      }
    }
    return fits;
  }

  private boolean fits(Coordinates at, int microBatch, long bytes) {
    try {
      return of(at, microBatch).total() <= bytes;
    } catch (OutOfMemoryError e) {
      return false; // more than the system lets one process reserve
    }
  }

  /** Runs the first steps. */
  static void steps(TrainingJob job, int all) {
    for (int step = 0; step < Math.min(STEPS, all); step++) {
      job.step(step);
    }
  }

  /** A device that computes nothing. */
  static Device device() {
    return new Device(new DryKernels(), new WorkerPool(1));
  }
}
