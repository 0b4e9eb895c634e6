package dev.sortie.benchmarks.compare;

import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;

/** How the weights of a product lie in memory, and which of our kernels takes them. */
enum GemmKind {
  /** {@code w[n,k]}, a row for each output, as checkpoints store it: the forward pass. */
  NT(true) {
    @Override
    void ours(Kernels kernels, GemmShape s, Span x, Span w, Span y) {
      kernels.linear(x, w, null, y, s.m(), s.n(), s.k());
    }
  },
  /** {@code w[k,n]}: the gradient of a layer's inputs. */
  NN(false) {
    @Override
    void ours(Kernels kernels, GemmShape s, Span x, Span w, Span y) {
      kernels.gemm(false, false, s.m(), s.n(), s.k(), x, w, y, false);
    }
  };

  private final boolean transposed;

  GemmKind(boolean transposed) {
    this.transposed = transposed;
  }

  /** Whether {@code w} is stored as {@code [n,k]}. */
  boolean transposed() {
    return transposed;
  }

  /** {@code y[m,n] = x[m,k] · w}. */
  abstract void ours(Kernels kernels, GemmShape s, Span x, Span w, Span y);
}
