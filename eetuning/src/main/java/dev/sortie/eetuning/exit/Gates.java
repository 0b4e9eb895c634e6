package dev.sortie.eetuning.exit;

import java.util.Optional;

/**
 * What was fitted to an exit after it was tuned.
 *
 * @param probe from the hidden state at the exit's depth, before anything of the exit is computed:
 *     the probability that the exit agrees with full depth, so that evaluating it is worth while
 * @param coverage from what a draft head reads: the probability that full depth takes a token that
 *     the head covers. The head's own probabilities are given that it does, so the product is the
 *     probability among all tokens
 */
public record Gates(Optional<Gate> probe, Optional<Gate> coverage) {
  /** None. */
  public static final Gates NONE = new Gates(Optional.empty(), Optional.empty());
}
