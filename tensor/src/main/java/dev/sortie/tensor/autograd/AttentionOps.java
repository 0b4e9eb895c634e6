package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.RopeShape;
import java.util.List;

/** Rotary positions and causal grouped-query attention. */
final class AttentionOps {
  private AttentionOps() {}

  /**
   * Rotates x {@code [B, T, H, D]}; inputs x, cos and sin {@code [positions, rotary / 2]}. The
   * tables get no gradient.
   */
  record Rope(RopeShape sizes) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape x = in.get(0).shape();
      Shape want = Shape.of(sizes.batch(), sizes.tokens(), sizes.heads(), sizes.headSize());
      if (!x.equals(want)) {
        throw new IllegalArgumentException("Rope: input " + x + ", sizes say " + want);
      }
      Shape table = in.get(1).shape();
      if (table.rank() != 2
          || table.dim(1) * 2 != sizes.rotary()
          || table.dim(0) < sizes.first() + sizes.tokens()) {
        throw new IllegalArgumentException(
            "Rope: table "
                + table
                + " is too small for positions up to "
                + (sizes.first() + sizes.tokens())
                + " and rotary size "
                + sizes.rotary());
      }
      return x;
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.rope(
          n.inputs().get(0).span(),
          n.inputs().get(1).span(),
          n.inputs().get(2).span(),
          n.output().span(),
          sizes,
          false);
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        // dy is ours alone: every consumer has added to it by now, so rotate it back in place
        k.rope(
            dy.span(), n.inputs().get(1).span(), n.inputs().get(2).span(), dy.span(), sizes, true);
        sink.pass(0, dy);
      }
    }
  }

  /** Inputs q {@code [B, T, H, D]}, k and v {@code [B, S, K, D]}; result {@code [B, T, H, D]}. */
  record Attention(AttentionShape sizes) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape q = Shape.of(sizes.batch(), sizes.queries(), sizes.heads(), sizes.headSize());
      Shape kv = Shape.of(sizes.batch(), sizes.keys(), sizes.kvHeads(), sizes.headSize());
      if (!in.get(0).shape().equals(q)
          || !in.get(1).shape().equals(kv)
          || !in.get(2).shape().equals(kv)) {
        throw new IllegalArgumentException(
            "Attention: q "
                + in.get(0).shape()
                + ", k "
                + in.get(1).shape()
                + ", v "
                + in.get(2).shape()
                + ", expected "
                + q
                + ", "
                + kv
                + ", "
                + kv);
      }
      return q;
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      return List.of(Shape.of(sizes.batch(), sizes.heads(), sizes.queries()));
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.attention(
          n.inputs().get(0).span(),
          n.inputs().get(1).span(),
          n.inputs().get(2).span(),
          n.output().span(),
          n.saved().get(0).span(),
          sizes);
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      k.attentionBackward(
          n.inputs().get(0).span(),
          n.inputs().get(1).span(),
          n.inputs().get(2).span(),
          n.output().span(),
          n.saved().get(0).span(),
          dy.span(),
          sink.write(0),
          sink.write(1),
          sink.write(2),
          sizes);
    }
  }
}
