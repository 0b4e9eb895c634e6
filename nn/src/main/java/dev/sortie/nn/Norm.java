package dev.sortie.nn;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/** Normalisation over the last dim, with a learnt scale. */
public sealed interface Norm permits RmsNorm, LayerNorm {
  /** The scale, {@code [C]}. */
  Tensor weight();

  /** Normalises the last dim. */
  Tensor apply(Ops ops, Tensor x);
}
