package dev.sortie.tensor.autograd;

import dev.sortie.tensor.memory.Span;

/** Where a vjp puts the gradients of its inputs. */
public interface Sink {
  /** Whether input {@code i} wants a gradient. */
  boolean wants(int i);

  /** The gradient of input {@code i} to add to; zero at the first use. Null if it wants none. */
  Span add(int i);

  /**
   * The gradient of input {@code i} to add to, or memory to be thrown away if it wants none: for
   * kernels that compute the gradients of all inputs at once.
   */
  Span addOrDiscard(int i);

  /**
   * The gradient of input {@code i} and whether it holds something already: for kernels that can
   * overwrite instead of adding.
   */
  Target target(int i);

  /**
   * A gradient's memory.
   *
   * @param span the memory
   * @param accumulate whether to add to it; otherwise its contents are undefined and must be
   *     overwritten
   */
  record Target(Span span, boolean accumulate) {}
}
