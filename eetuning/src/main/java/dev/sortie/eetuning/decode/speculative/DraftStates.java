package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.function.Supplier;

/** What sources may read of the model, as {@link DraftContext} says; by default nothing. */
interface DraftStates {
  /** For sources that read the text alone. */
  DraftStates NONE = new DraftStates() {};

  private static IllegalStateException none() {
    return new IllegalStateException(
        "this way of decoding keeps no hidden states for draft sources");
  }

  /** Runs {@code body}, whose temporaries are given back. */
  default <T> T step(Supplier<T> body) {
    return body.get();
  }

  default Decoder decoder() {
    throw none();
  }

  default Ops ops() {
    throw none();
  }

  default HiddenState descend(int token) {
    throw none();
  }

  default Tensor hidden(int first, int end) {
    throw none();
  }

  default Tensor features(int depth, int first, int end) {
    throw none();
  }

  default int featuresFrom() {
    throw none();
  }

  /** Forgets positions {@code count} and above. */
  default void rewind(int count) {}
}
