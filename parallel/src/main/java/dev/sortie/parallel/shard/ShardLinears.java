package dev.sortie.parallel.shard;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Node;
import dev.sortie.tensor.autograd.Sink;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.util.Arrays;
import java.util.List;

/** Ops with a weight matrix of which each rank has a part. */
final class ShardLinears {
  private ShardLinears() {}

  /**
   * {@code Σ ranks x Wᵀ + b}: each rank has some of the inputs. Inputs x {@code [.., part of K]}, W
   * {@code [N, part of K]} and, if there is one, b {@code [N]}, equal; W may be stored in BF16, F16
   * or blocks when it is frozen. The result is equal, or each rank's rows of it. Saved: where rows
   * are shared out, room for the product with all rows, and later for its gradient.
   *
   * @param scatter whether each rank gets its rows alone
   */
  record RowLinear(ShardGroup group, boolean scatter) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape x = in.get(0).shape();
      Shape w = in.get(1).shape();
      if (x.rank() < 1 || w.rank() != 2 || x.dim(-1) != w.dim(1)) {
        throw new IllegalArgumentException(
            "%s: input %s does not fit weight %s".formatted(name(), x, w));
      }
      if (in.size() == 3 && !in.get(2).shape().equals(Shape.of(w.dim(0)))) {
        throw new IllegalArgumentException(
            "%s: bias %s does not fit weight %s".formatted(name(), in.get(2).shape(), w));
      }
      Shape y = x.withLast(w.dim(0));
      return scatter ? Regions.part(name(), y, group.size()) : y;
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      return scatter ? List.of(in.get(0).shape().withLast(in.get(1).shape().dim(0))) : List.of();
    }

    @Override
    public void forward(Kernels k, Node n) {
      Tensor x = n.inputs().get(0);
      Tensor w = n.inputs().get(1);
      // the first rank adds the bias, so that the sum has it once
      boolean first = group.position() == 0 && n.inputs().size() == 3;
      Span bias = first ? n.inputs().get(2).span() : null;
      Span product = scatter ? n.saved().get(0).span() : n.output().span();
      int outputs = w.shape().size(0);
      k.linear(x.span(), w.span(), bias, product, x.shape().rows(), outputs, w.shape().size(1));
      if (scatter) {
        group.reduceScatter(product, n.output().span());
      } else {
        group.allReduce(product);
      }
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      Tensor x = n.inputs().get(0);
      Tensor w = n.inputs().get(1);
      Span all = dy.span();
      if (scatter) {
        all = n.saved().get(0).span();
        group.allGather(dy.span(), all);
      }
      int rows = x.shape().rows();
      int outputs = w.shape().size(0);
      int inputs = w.shape().size(1);
      if (sink.wants(0)) {
        Sink.Target t = sink.target(0);
        k.gemm(false, false, rows, inputs, outputs, all, w.span(), t.span(), t.accumulate());
      }
      if (sink.wants(1)) {
        Sink.Target t = sink.target(1);
        k.gemm(true, false, outputs, inputs, rows, all, x.span(), t.span(), t.accumulate());
      }
      if (n.inputs().size() == 3 && sink.wants(2)) {
        k.sumRows(all, sink.add(2), rows, outputs);
      }
    }
  }

  /**
   * {@code table[ids]}: each rank has some of the rows, and the sum over the ranks has each row
   * once. Inputs table {@code [part of V, C]} and ids I32 {@code [..]}, equal; the result {@code
   * [.., C]} is equal.
   *
   * @param total V
   */
  record VocabEmbedding(ShardGroup group, long total) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape table = in.get(0).shape();
      Tensor ids = in.get(1);
      if (table.rank() != 2
          || table.dim(0) != group.range(total).count()
          || ids.dtype() != DType.I32) {
        throw new IllegalArgumentException(
            "%s: table %s must be [%d, C], ids I32, got %s"
                .formatted(name(), table, group.range(total).count(), ids));
      }
      long[] dims = Arrays.copyOf(ids.shape().dims(), ids.shape().rank() + 1);
      dims[dims.length - 1] = table.dim(1);
      return Shape.of(dims);
    }

    @Override
    public void forward(Kernels k, Node n) {
      Span table = n.inputs().get(0).span();
      Span ids = n.inputs().get(1).span();
      long width = n.output().shape().dim(-1);
      ShardRange range = group.range(total);
      Span y = n.output().span();
      for (long r = 0; r < ids.length(); r++) {
        int id = ids.getInt(r);
        if (id < 0 || id >= total) {
          throw new IllegalArgumentException(
              "id " + id + " of row " + r + " is outside the vocabulary of " + total);
        }
        Span row = y.slice(r * width, width);
        if (range.holds(id)) {
          k.copy(table.slice((id - range.from()) * width, width), row);
        } else {
          k.fill(row, 0);
        }
      }
      group.allReduce(y);
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (!sink.wants(0)) {
        return;
      }
      Span ids = n.inputs().get(1).span();
      long width = dy.shape().dim(-1);
      ShardRange range = group.range(total);
      Span dtable = sink.add(0);
      for (long r = 0; r < ids.length(); r++) {
        if (range.holds(ids.getInt(r))) {
          long at = (ids.getInt(r) - range.from()) * width;
          k.axpy(1, dy.span().slice(r * width, width), dtable.slice(at, width));
        }
      }
    }
  }
}
