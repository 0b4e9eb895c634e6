package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;

/**
 * Softmax and what is measured against it; all over the last dim. Losses are per row, in nats;
 * weigh and sum them with Mul and Sum.
 */
final class LossOps {
  private LossOps() {}

  /** Softmax of each row. */
  record Softmax() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return in.get(0).shape();
    }

    @Override
    public void forward(Kernels k, Node n) {
      Shape s = n.output().shape();
      k.softmax(n.inputs().get(0).span(), n.output().span(), s.rows(), s.size(-1));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        Shape s = n.output().shape();
        k.softmaxBackward(n.output().span(), dy.span(), sink.add(0), s.rows(), s.size(-1));
      }
    }
  }

  /**
   * Inputs logits {@code [.., V]} and targets I32 {@code [..]}, negative where there is nothing to
   * predict; result {@code [..]}.
   */
  record CrossEntropy() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape logits = in.get(0).shape();
      Tensor targets = in.get(1);
      if (logits.rank() < 1
          || targets.dtype() != DType.I32
          || !targets.shape().equals(logits.dropLast())) {
        throw new IllegalArgumentException(
            "CrossEntropy: logits " + logits + " do not fit targets " + targets);
      }
      return targets.shape();
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      return List.of(in.get(1).shape());
    }

    @Override
    public void forward(Kernels k, Node n) {
      Tensor logits = n.inputs().get(0);
      k.crossEntropy(
          logits.span(),
          n.inputs().get(1).span(),
          n.output().span(),
          n.saved().get(0).span(),
          logits.shape().rows(),
          logits.shape().size(-1));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        Tensor logits = n.inputs().get(0);
        k.crossEntropyBackward(
            logits.span(),
            n.inputs().get(1).span(),
            n.saved().get(0).span(),
            dy.span(),
            sink.add(0),
            logits.shape().rows(),
            logits.shape().size(-1));
      }
    }
  }

  /**
   * Inputs logits and teacher logits {@code [.., V]}; the teacher gets no gradient. Result {@code
   * [..]}.
   */
  record Kl() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape a = in.get(0).shape();
      Shape b = in.get(1).shape();
      if (a.rank() < 1 || !a.equals(b)) {
        throw new IllegalArgumentException("Kl: logits " + a + " and teacher " + b + " differ");
      }
      return a.dropLast();
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      Shape rows = in.get(0).shape().dropLast();
      return List.of(rows, rows);
    }

    @Override
    public void forward(Kernels k, Node n) {
      Tensor logits = n.inputs().get(0);
      k.kl(
          logits.span(),
          n.inputs().get(1).span(),
          n.output().span(),
          n.saved().get(0).span(),
          n.saved().get(1).span(),
          logits.shape().rows(),
          logits.shape().size(-1));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        Tensor logits = n.inputs().get(0);
        k.klBackward(
            logits.span(),
            n.inputs().get(1).span(),
            n.saved().get(0).span(),
            n.saved().get(1).span(),
            dy.span(),
            sink.add(0),
            logits.shape().rows(),
            logits.shape().size(-1));
      }
    }
  }
}
