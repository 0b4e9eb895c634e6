package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * Weights that remember what was asked for: the named tensors of a module, in the order in which it
 * is built.
 */
public final class NamedTensors implements Weights {
  private final Weights source;
  private final SequencedMap<String, Tensor> taken = new LinkedHashMap<>();

  /** Remembers what is taken from {@code source}. */
  public NamedTensors(Weights source) {
    this.source = source;
  }

  @Override
  public Tensor get(String name, Shape shape, Role role) {
    Tensor t = source.get(name, shape, role);
    if (!t.shape().equals(shape)) {
      throw new InputException(
          "tensor " + name + " has shape " + t.shape() + ", the model needs " + shape);
    }
    if (taken.putIfAbsent(name, t) != null) {
      throw new IllegalStateException("tensor " + name + " was taken twice");
    }
    return t;
  }

  /** All tensors taken so far by name. */
  public SequencedMap<String, Tensor> tensors() {
    return Collections.unmodifiableSequencedMap(taken);
  }
}
