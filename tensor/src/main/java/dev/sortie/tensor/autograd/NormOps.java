package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;

/** Normalisation over the last dim. */
final class NormOps {
  private NormOps() {}

  private static Shape check(Op op, List<Tensor> in) {
    Shape x = in.get(0).shape();
    for (Tensor p : in.subList(1, in.size())) {
      if (x.rank() < 1 || p.shape().rank() != 1 || p.shape().dim(0) != x.dim(-1)) {
        throw new IllegalArgumentException(
            op.name() + ": parameter " + p.shape() + " does not fit input " + x);
      }
    }
    return x;
  }

  /** {@code x * w / sqrt(mean(x²) + eps)}; inputs x {@code [.., C]}, w {@code [C]}. */
  record RmsNorm(double eps) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return check(this, in);
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      return List.of(Shape.of(in.get(0).shape().rows()));
    }

    @Override
    public void forward(Kernels k, Node n) {
      Tensor x = n.inputs().get(0);
      k.rmsNorm(
          x.span(),
          n.inputs().get(1).span(),
          eps,
          n.output().span(),
          n.saved().get(0).span(),
          x.shape().rows(),
          x.shape().size(-1));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      Tensor x = n.inputs().get(0);
      k.rmsNormBackward(
          x.span(),
          n.inputs().get(1).span(),
          n.saved().get(0).span(),
          dy.span(),
          sink.add(0),
          sink.add(1),
          x.shape().rows(),
          x.shape().size(-1));
    }
  }

  /**
   * {@code (x - mean) / sqrt(var + eps) * w + b}; inputs x {@code [.., C]}, w {@code [C]} and, if
   * there is one, b {@code [C]}.
   */
  record LayerNorm(double eps) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return check(this, in);
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      Shape rows = Shape.of(in.get(0).shape().rows());
      return List.of(rows, rows);
    }

    @Override
    public void forward(Kernels k, Node n) {
      Tensor x = n.inputs().get(0);
      var b = n.inputs().size() == 3 ? n.inputs().get(2).span() : null;
      k.layerNorm(
          x.span(),
          n.inputs().get(1).span(),
          b,
          eps,
          n.output().span(),
          n.saved().get(0).span(),
          n.saved().get(1).span(),
          x.shape().rows(),
          x.shape().size(-1));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      Tensor x = n.inputs().get(0);
      k.layerNormBackward(
          x.span(),
          n.inputs().get(1).span(),
          n.saved().get(0).span(),
          n.saved().get(1).span(),
          dy.span(),
          sink.add(0),
          sink.add(1),
          n.inputs().size() == 3 ? sink.add(2) : null,
          x.shape().rows(),
          x.shape().size(-1));
    }
  }
}
