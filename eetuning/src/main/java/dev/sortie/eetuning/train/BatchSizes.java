package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;

/** Checks of batch sizes. */
public final class BatchSizes {
  private BatchSizes() {}

  public static void check(int micro, int global) {
    if (micro < 1 || global < micro || global % micro != 0) {
      throw new InputException(
          "--global-batch "
              + global
              + " must be a multiple of --micro-batch "
              + micro
              + ", both at least 1");
    }
  }

  /** Refuses a number of replicas among which the micro-batches of a step cannot be shared out. */
  public static void checkReplicas(int micro, int global, int replicas) {
    if (global / micro % replicas != 0) {
      throw new InputException(
          "--dp %d does not divide the %d micro-batches of a step (--global-batch %d by --micro-batch %d); take a global batch that is a multiple of %d"
              .formatted(replicas, global / micro, global, micro, replicas * micro));
    }
  }
}
