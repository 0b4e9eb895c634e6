package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.HiddenState;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.function.Supplier;

/** For sources that read the text alone. */
final class NoStates implements DraftStates {
  private static final String NONE = "this way of decoding keeps no hidden states for sources";

  @Override
  public <T> T step(Supplier<T> body) {
    return body.get();
  }

  @Override
  public Decoder decoder() {
    throw new IllegalStateException(NONE);
  }

  @Override
  public Ops ops() {
    throw new IllegalStateException(NONE);
  }

  @Override
  public HiddenState descend(int token) {
    throw new IllegalStateException(NONE);
  }

  @Override
  public Tensor hidden(int first, int end) {
    throw new IllegalStateException(NONE);
  }

  @Override
  public Tensor finalStates(int first, int end) {
    throw new IllegalStateException(NONE);
  }

  @Override
  public int finalsFrom() {
    throw new IllegalStateException(NONE);
  }

  @Override
  public void rewind(int count) {}
}
