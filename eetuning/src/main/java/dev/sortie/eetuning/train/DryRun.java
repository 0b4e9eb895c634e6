package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.load.AvailableMemory;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.Device;
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

  /** Sizes that are tried on a straight line; then the range is halved. */
  int STRAIGHT_TRIES = 12;

  /**
   * Steps after which every buffer has been taken: the second one adds to the state of the first.
   */
  int STEPS = 2;

  /** All ranks. */
  Mesh mesh();

  /** Sequences in a micro-batch of the run. */
  int microBatch();

  /** A rank's memory with another micro-batch, in as many rounds per step. */
  RankMemory of(Coordinates at, int microBatch);

  /** A rank's memory. */
  default RankMemory of(Coordinates at) {
    return of(at, microBatch());
  }

  /**
   * The most sequences in a micro-batch with which a rank needs no more than {@code bytes}; 0:
   * none. Memory grows by nearly as much with each sequence, so that the straight line through two
   * sizes leads close to it: some 6 dry runs where halving takes 20 and more.
   */
  default int largestMicroBatch(Coordinates at, long bytes) {
    int fits = 0;
    int fails = MOST_MICRO_BATCH + 1;
    double guess = 1;
    int before = 0;
    double totalBefore = 0;
    for (int tries = 1; fits + 1 < fails; tries++) {
      boolean halve = tries > STRAIGHT_TRIES || !Double.isFinite(guess);
      int size = (int) Math.clamp(halve ? (fits + fails) / 2 : guess, fits + 1.0, fails - 1.0);
      double total = needed(at, size);
      if (total <= bytes) {
        fits = size;
      } else {
        fails = size;
      }
      double each = (total - totalBefore) / (size - before);
      guess = size + (bytes - total) / each;
      before = size;
      totalBefore = total;
    }
    return fits;
  }

  /** Infinite where the system does not let one process reserve it. */
  private double needed(Coordinates at, int microBatch) {
    try {
      return of(at, microBatch).needed();
    } catch (OutOfMemoryError e) {
      return Double.POSITIVE_INFINITY;
    }
  }

  /**
   * Refuses a run that does not fit, as the loading of a model does: where the system has no more
   * memory to give, it kills a process without a word.
   *
   * @param at the rank that asks
   * @param available to all ranks of this machine, before they took any
   * @param ranks how many of them there are
   * @throws InputException with the numbers
   */
  default void require(Coordinates at, AvailableMemory available, int ranks) {
    long each = available.bytes() / ranks;
    double needed = needed(at, microBatch());
    if (needed <= each) {
      return;
    }
    int fits = largestMicroBatch(at, each);
    throw new InputException(
        "--micro-batch %d: rank %d needs %s of memory; %s are available%s (%s); %s. --dry-run shows what takes it"
            .formatted(
                microBatch(),
                mesh().rank(at).value(),
                Double.isFinite(needed)
                    ? Printable.size((long) needed)
                    : "more than a process can have",
                Printable.size(each),
                ranks > 1 ? " to each of " + ranks + " ranks" : "",
                available.origin(),
                fits > 0
                    ? "take --micro-batch " + fits + " or less"
                    : "none fits: share out the model by --tp or --pp, or take smaller exits, a smaller model or a machine with more"));
  }

  /**
   * Micro-batches of a step that are enough: without a pipeline one of a replica takes what the
   * others leave, and the second one all that a further one needs.
   */
  default int enough(int microBatches) {
    return mesh().pp() > 1 ? microBatches : Math.min(microBatches, 2 * mesh().dp());
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
