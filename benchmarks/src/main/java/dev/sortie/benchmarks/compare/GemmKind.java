package dev.sortie.benchmarks.compare;

import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.Locale;

/** How the weights of a product lie in memory, and which of our kernels takes them. */
enum GemmKind {
  /** {@code w[n,k]}, a row for each output, as checkpoints store it: the forward pass. */
  NT(true) {
    @Override
    Runnable ours(Kernels kernels, GemmShape s, Span x, Span w, Span y, Allocator memory) {
      return () -> kernels.linear(x, w, null, y, s.m(), s.n(), s.k());
    }
  },
  /** The same, packed once before all products: frozen weights. The peer gets them unpacked. */
  PACKED(true) {
    @Override
    Runnable ours(Kernels kernels, GemmShape s, Span x, Span w, Span y, Allocator memory) {
      PackedWeight packed = kernels.pack(w, s.n(), s.k(), memory);
      return () -> kernels.linear(x, packed, null, y, s.m());
    }
  },
  /** {@code w[k,n]}: the gradient of a layer's inputs. */
  NN(false) {
    @Override
    Runnable ours(Kernels kernels, GemmShape s, Span x, Span w, Span y, Allocator memory) {
      return () -> kernels.gemm(false, false, s.m(), s.n(), s.k(), x, w, y, false);
    }
  };

  private final boolean transposed;

  GemmKind(boolean transposed) {
    this.transposed = transposed;
  }

  /** The word in names of cases. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether {@code w} is stored as {@code [n,k]}. */
  boolean transposed() {
    return transposed;
  }

  /**
   * The product {@code y[m,n] = x[m,k] · w}, to be run again and again.
   *
   * @param memory for what is made once
   */
  abstract Runnable ours(Kernels kernels, GemmShape s, Span x, Span w, Span y, Allocator memory);
}
