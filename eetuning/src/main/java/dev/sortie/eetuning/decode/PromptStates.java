package dev.sortie.eetuning.decode;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * Sees the final hidden states of a prompt while it is read: to score its tokens, or to pool them.
 */
@FunctionalInterface
public interface PromptStates {

  /**
   * The states of some tokens in a row. All tokens of the prompt come, in order.
   *
   * @param ops computes on the states; temporaries are given back after the call
   * @param first position of the first of them
   * @param states after the last layer, before the final norm, {@code [1, T, C]}; valid until this
   *     returns
   */
  void read(Ops ops, int first, Tensor states);
}
