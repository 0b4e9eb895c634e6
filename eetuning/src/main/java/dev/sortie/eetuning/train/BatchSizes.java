package dev.sortie.eetuning.train;

import dev.sortie.nn.UsageException;

/** Checks of batch sizes. */
public final class BatchSizes {
  /** Micro-batches of a step: the losses of each are kept until its end. */
  private static final int MOST = 1 << 14;

  private BatchSizes() {}

  /** Refuses batches that are no number of micro-batches, or of too many. */
  public static void check(int micro, int global) {
    if (micro < 1 || global < micro || global % micro != 0) {
      throw new UsageException(
          "--global-batch "
              + global
              + " must be a multiple of --micro-batch "
              + micro
              + ", both at least 1");
    }
    if (global / micro > MOST) {
      throw new UsageException(
          "--global-batch %d has %d micro-batches of %d, at most %d are allowed; take a larger --micro-batch"
              .formatted(global, global / micro, micro, MOST));
    }
  }

  /** Refuses a number of replicas among which the micro-batches of a step cannot be shared out. */
  public static void checkReplicas(int micro, int global, int replicas) {
    if (global / micro % replicas != 0) {
      throw new UsageException(
          "--dp %d does not divide the %d micro-batches of a step (--global-batch %d by --micro-batch %d); take a global batch that is a multiple of %d"
              .formatted(replicas, global / micro, global, micro, replicas * micro));
    }
  }
}
