package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.ArrayList;
import java.util.List;

/** A text without a model. */
final class TextAlone implements DraftContext {
  final List<Integer> tokens = new ArrayList<>();

  TextAlone with(int... more) {
    for (int token : more) {
      tokens.add(token);
    }
    return this;
  }

  @Override
  public int length() {
    return tokens.size();
  }

  @Override
  public int token(int position) {
    return tokens.get(position);
  }

  @Override
  public Decoder decoder() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Ops ops() {
    throw new UnsupportedOperationException();
  }

  @Override
  public HiddenState descend(int token) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Tensor hidden(int first, int end) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Tensor features(int depth, int first, int end) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int featuresFrom() {
    throw new UnsupportedOperationException();
  }
}
