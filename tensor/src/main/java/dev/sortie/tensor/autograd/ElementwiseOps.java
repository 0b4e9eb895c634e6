package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.DropoutMask;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;

/** Ops on each element alone, and the sum of all. */
final class ElementwiseOps {
  private ElementwiseOps() {}

  private static Shape same(Op op, List<Tensor> in) {
    Shape a = in.get(0).shape();
    Shape b = in.get(1).shape();
    if (!a.equals(b)) {
      throw new IllegalArgumentException(op.name() + ": shapes " + a + " and " + b + " differ");
    }
    return a;
  }

  /** {@code a + b}. */
  record Add() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return same(this, in);
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.add(n.inputs().get(0).span(), n.inputs().get(1).span(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      // b's gradient is a copy of dy, a's is dy itself, unless b wants none
      if (sink.wants(0) && sink.wants(1)) {
        Sink.Target t = sink.target(1);
        if (t.accumulate()) {
          k.axpy(1, dy.span(), t.span());
        } else {
          k.copy(dy.span(), t.span());
        }
      }
      int last = sink.wants(0) ? 0 : 1;
      if (sink.wants(last)) {
        sink.pass(last, dy);
      }
    }
  }

  /** {@code a * b}. */
  record Mul() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return same(this, in);
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.mul(n.inputs().get(0).span(), n.inputs().get(1).span(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      for (int i = 0; i < 2; i++) {
        if (sink.wants(i)) {
          k.mulAdd(dy.span(), n.inputs().get(1 - i).span(), sink.add(i));
        }
      }
    }
  }

  /** {@code factor * x}. */
  record Scale(double factor) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return in.get(0).shape();
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.scale(factor, n.inputs().get(0).span(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        k.axpy(factor, dy.span(), sink.add(0));
      }
    }
  }

  /** {@code x} with elements set to 0 and the others scaled up. */
  record Dropout(DropoutMask mask) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return in.get(0).shape();
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.dropout(mask, n.inputs().get(0).span(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        k.dropoutAdd(mask, dy.span(), sink.add(0));
      }
    }
  }

  /** The sum of all elements, a scalar. */
  record Sum() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return Shape.of();
    }

    @Override
    public void forward(Kernels k, Node n) {
      n.output().span().set(0, k.sum(n.inputs().get(0).span()));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        k.addScalar(dy.item(), sink.add(0));
      }
    }
  }

  /** {@code silu(gate) * up}. */
  record SwiGlu() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return same(this, in);
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.swiglu(n.inputs().get(0).span(), n.inputs().get(1).span(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      k.swigluBackward(
          n.inputs().get(0).span(),
          n.inputs().get(1).span(),
          dy.span(),
          sink.write(0),
          sink.write(1));
    }
  }

  /** {@code x Φ(x)}. */
  record Gelu(boolean tanh) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return in.get(0).shape();
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.gelu(n.inputs().get(0).span(), n.output().span(), tanh);
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        k.geluBackward(n.inputs().get(0).span(), dy.span(), sink.add(0), tanh);
      }
    }
  }
}
