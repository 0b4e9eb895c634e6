package dev.sortie.eetuning.sample;

import dev.sortie.nn.UsageException;

/**
 * Shares of prompts that are held out.
 *
 * @param validation share for validation
 * @param test share for the test
 */
public record SplitShares(double validation, double test) {
  public SplitShares {
    if (!(validation >= 0 && test >= 0 && validation + test < 1)) {
      throw new UsageException(
          "--validation %s and --test %s must be 0 or more and leave a share to train on"
              .formatted(validation, test));
    }
  }

  /** The part of a prompt that drew {@code u}: 0 for training, 1 for validation, 2 for the test. */
  int part(double u) {
    return u < validation ? 1 : u < validation + test ? 2 : 0;
  }
}
