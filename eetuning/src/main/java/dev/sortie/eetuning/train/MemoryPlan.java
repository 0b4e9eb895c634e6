package dev.sortie.eetuning.train;

import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.Mesh;

/**
 * How much memory training takes on each rank, before it begins; docs/memory.md has the formulas.
 */
public interface MemoryPlan {
  /** The JVM: see docs/memory.md. */
  long JVM = 200L << 20;

  /** Larger ones are not looked for. */
  int MOST_MICRO_BATCH = 1 << 16;

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
    for (int step = MOST_MICRO_BATCH; step > 0; step /= 2) {
      if (of(at, fits + step).total() <= bytes) {
        fits += step;
      }
    }
    return fits;
  }
}
