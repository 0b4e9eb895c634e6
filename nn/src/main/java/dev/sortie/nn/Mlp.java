package dev.sortie.nn;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/** The part of a layer that sees each token alone: {@code C → F → C}. */
public sealed interface Mlp permits SwiGluMlp, GeluMlp {
  /** {@code [.., C]} to {@code [.., C]}. */
  Tensor apply(Ops ops, Tensor x);
}
