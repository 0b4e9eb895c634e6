package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;

/** Ops with a weight matrix. */
final class MatrixOps {
  private MatrixOps() {}

  /**
   * {@code x [.., K] · W [N, K]ᵀ + b [N]}; inputs x, W and, if there is one, b. W may be stored in
   * BF16 or F16 when it is frozen.
   */
  record Linear() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape x = in.get(0).shape();
      Shape w = in.get(1).shape();
      if (x.rank() < 1 || w.rank() != 2 || x.dim(-1) != w.dim(1)) {
        throw new IllegalArgumentException("Linear: input " + x + " does not fit weight " + w);
      }
      if (in.size() == 3 && !in.get(2).shape().equals(Shape.of(w.dim(0)))) {
        throw new IllegalArgumentException(
            "Linear: bias " + in.get(2).shape() + " does not fit weight " + w);
      }
      return x.withLast(w.dim(0));
    }

    @Override
    public void forward(Kernels k, Node n) {
      Tensor x = n.inputs().get(0);
      Tensor w = n.inputs().get(1);
      var bias = n.inputs().size() == 3 ? n.inputs().get(2).span() : null;
      k.linear(
          x.span(),
          w.span(),
          bias,
          n.output().span(),
          x.shape().rows(),
          w.shape().size(0),
          w.shape().size(1));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      Tensor x = n.inputs().get(0);
      Tensor w = n.inputs().get(1);
      int rows = x.shape().rows();
      int outputs = w.shape().size(0);
      int inputs = w.shape().size(1);
      if (sink.wants(0)) {
        Sink.Target t = sink.target(0);
        k.gemm(false, false, rows, inputs, outputs, dy.span(), w.span(), t.span(), t.accumulate());
      }
      if (sink.wants(1)) {
        Sink.Target t = sink.target(1);
        k.gemm(true, false, outputs, inputs, rows, dy.span(), x.span(), t.span(), t.accumulate());
      }
      if (n.inputs().size() == 3 && sink.wants(2)) {
        k.sumRows(dy.span(), sink.add(2), rows, outputs);
      }
    }
  }

  /**
   * {@code table[ids]}; inputs table {@code [V, C]} and ids I32 {@code [..]}, result {@code [..,
   * C]}.
   */
  record Embedding() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape table = in.get(0).shape();
      Tensor ids = in.get(1);
      if (table.rank() != 2 || ids.dtype() != DType.I32) {
        throw new IllegalArgumentException(
            "Embedding: table " + table + " must be [V, C], ids I32, got " + ids);
      }
      long[] d = java.util.Arrays.copyOf(ids.shape().dims(), ids.shape().rank() + 1);
      d[d.length - 1] = table.dim(1);
      return Shape.of(d);
    }

    @Override
    public void forward(Kernels k, Node n) {
      Tensor table = n.inputs().get(0);
      Tensor ids = n.inputs().get(1);
      k.gatherRows(
          table.span(),
          ids.span(),
          n.output().span(),
          (int) ids.shape().count(),
          table.shape().size(1));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        Tensor ids = n.inputs().get(1);
        k.scatterAddRows(
            dy.span(),
            ids.span(),
            sink.add(0),
            (int) ids.shape().count(),
            n.inputs().get(0).shape().size(1));
      }
    }
  }
}
