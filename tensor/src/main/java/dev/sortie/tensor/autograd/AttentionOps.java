package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.memory.Span;
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
          || table.dim(0) < sizes.positions()) {
        throw new IllegalArgumentException(
            "Rope: table "
                + table
                + " is too small for positions up to "
                + sizes.positions()
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

  /**
   * Attention with a zero token in each softmax. Inputs as those of {@link Attention}, then u
   * {@code [B, T, H, D]}, the queries that are compared with it, and its key, {@code K D} elements.
   * The result is the attention's {@code B T H D} elements and after them the token's share of each
   * softmax, {@code B T H}.
   */
  record ZeroTokenAttention(AttentionShape sizes) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      new Attention(sizes).shape(in);
      if (!in.get(3).shape().equals(in.get(0).shape())
          || in.get(4).shape().count() != (long) sizes.kvHeads() * sizes.headSize()) {
        throw new IllegalArgumentException(
            "ZeroTokenAttention: u %s and key %s for q %s and %d kv heads"
                .formatted(
                    in.get(3).shape(), in.get(4).shape(), in.get(0).shape(), sizes.kvHeads()));
      }
      return Shape.of(sizes.queryElements() + sizes.rows());
    }

    /** The log-sum-exp, and room for its gradient. */
    @Override
    public List<Shape> saved(List<Tensor> in) {
      Shape rows = Shape.of(sizes.batch(), sizes.heads(), sizes.queries());
      return List.of(rows, rows);
    }

    @Override
    public void forward(Kernels k, Node n) {
      Span out = out(n.output());
      Span lse = n.saved().get(0).span();
      k.attention(
          n.inputs().get(0).span(),
          n.inputs().get(1).span(),
          n.inputs().get(2).span(),
          out,
          lse,
          sizes);
      Span key = n.inputs().get(4).span();
      k.zeroToken(n.inputs().get(3).span(), key, out, lse, share(n.output()), sizes);
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      Span dlse = n.saved().get(1).span();
      k.zeroTokenBackward(
          n.inputs().get(3).span(),
          n.inputs().get(4).span(),
          out(n.output()),
          share(n.output()),
          out(dy),
          share(dy),
          sink.write(3),
          sink.write(4),
          dlse,
          sizes);
      k.attentionBackward(
          n.inputs().get(0).span(),
          n.inputs().get(1).span(),
          n.inputs().get(2).span(),
          out(n.output()),
          n.saved().get(0).span(),
          out(dy),
          dlse,
          sink.write(0),
          sink.write(1),
          sink.write(2),
          sizes);
    }

    private Span out(Tensor result) {
      return result.span().slice(0, sizes.queryElements());
    }

    private Span share(Tensor result) {
      return result.span().slice(sizes.queryElements(), sizes.rows());
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
