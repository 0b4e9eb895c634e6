package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.HiddenState;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.function.Supplier;

/** What sources may read of the model, as {@link DraftContext} says. */
interface DraftStates {
  /** Runs {@code body}, whose temporaries are given back. */
  <T> T step(Supplier<T> body);

  Decoder decoder();

  Ops ops();

  HiddenState descend(int token);

  Tensor hidden(int first, int end);

  Tensor finalStates(int first, int end);

  int finalsFrom();

  /** Forgets positions {@code count} and above. */
  void rewind(int count);
}
