package dev.sortie.nn.basis;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.ValueLayout;
import org.ejml.data.DMatrixRMaj;

/**
 * {@code XᵀX} over the inputs of a projection, {@code [K, K]}: products of some rows in F32, their
 * sum in F64.
 */
final class Covariance {
  private final DMatrixRMaj sum;

  Covariance(int inputs) {
    sum = new DMatrixRMaj(inputs, inputs);
  }

  /** Adds rows of inputs, x {@code [.., K]} in F32. */
  void add(Ops ops, Tensor x) {
    int k = sum.numCols;
    Tensor rows = ops.contiguous(x);
    Tensor product = ops.empty(DType.F32, Shape.of(k, k));
    ops.kernels()
        .gemm(
            true,
            false,
            k,
            k,
            rows.shape().rows(),
            rows.span(),
            rows.span(),
            product.span(),
            false);
    Span p = product.span();
    for (int i = 0; i < sum.data.length; i++) {
      sum.data[i] += p.segment().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
    }
  }

  /** Adds what another has seen. */
  void add(Covariance other) {
    for (int i = 0; i < sum.data.length; i++) {
      sum.data[i] += other.sum.data[i];
    }
  }

  /** Number of inputs, K. */
  int inputs() {
    return sum.numCols;
  }

  /** The sum, {@code [K, K]}. */
  DMatrixRMaj sum() {
    return sum;
  }
}
