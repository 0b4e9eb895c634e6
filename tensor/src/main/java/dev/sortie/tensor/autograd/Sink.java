package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;

/** Where a vjp puts the gradients of its inputs. */
public interface Sink {
  /** Whether input {@code i} wants a gradient. */
  boolean wants(int i);

  /** The gradient of input {@code i} to add to; zero at the first use. Null if it wants none. */
  Span add(int i);

  /**
   * Memory to overwrite with what the gradient of input {@code i} gets; it need not be wanted. For
   * kernels that compute the gradients of all inputs at once. What is written counts when the vjp
   * returns.
   */
  Span write(int i);

  /**
   * Gives {@code dy} itself, or another view of all its elements, to input {@code i} as its
   * gradient: nothing is copied if it is the first. The vjp does not touch {@code dy} afterwards.
   */
  void pass(int i, Tensor dy);

  /**
   * The gradient of input {@code i} and whether it holds something already: for kernels that can
   * overwrite instead of adding.
   */
  Target target(int i);

  /** Hands input {@code i} a gradient that was computed for an upstream gradient of 1. */
  default void scaled(int i, Kernels k, double factor, Tensor gradient) {
    if (wants(i)) {
      Target t = target(i);
      if (t.accumulate()) {
        k.axpy(factor, gradient.span(), t.span());
      } else {
        k.scale(factor, gradient.span(), t.span());
      }
    }
  }

  /**
   * A gradient's memory.
   *
   * @param span the memory
   * @param accumulate whether to add to it; otherwise its contents are undefined and must be
   *     overwritten
   */
  record Target(Span span, boolean accumulate) {}
}
