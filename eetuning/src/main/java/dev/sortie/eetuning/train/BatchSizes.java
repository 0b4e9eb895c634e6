package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;

/** Checks of batch sizes. */
final class BatchSizes {
  private BatchSizes() {}

  static void check(int micro, int global) {
    if (micro < 1 || global < micro || global % micro != 0) {
      throw new InputException(
          "--global-batch "
              + global
              + " must be a multiple of --micro-batch "
              + micro
              + ", both at least 1");
    }
  }
}
