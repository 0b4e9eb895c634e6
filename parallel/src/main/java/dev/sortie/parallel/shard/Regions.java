package dev.sortie.parallel.shard;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Node;
import dev.sortie.tensor.autograd.Sink;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Collectives between what all ranks have and what each has of its own. Rows are those of the
 * tensor seen as a matrix: of {@code [B, T, C]} with P ranks, rank p has rows {@code p B T / P ..}
 * of the {@code B T} in order, as {@code [B, T / P, C]}, so that no row is moved in memory.
 */
final class Regions {
  private Regions() {}

  /** The shape of one rank's rows of {@code x}. */
  static Shape part(String op, Shape x, int ranks) {
    if (x.rank() < 2 || x.dim(-2) % ranks != 0) {
      throw new IllegalArgumentException(
          op + ": the rows of " + x + " cannot be shared out evenly to " + ranks + " ranks");
    }
    return rows(x, x.dim(-2) / ranks);
  }

  /** The shape of all ranks' rows. */
  private static Shape whole(String op, Shape x, int ranks) {
    if (x.rank() < 2) {
      throw new IllegalArgumentException(op + ": " + x + " has no rows");
    }
    return rows(x, x.dim(-2) * ranks);
  }

  private static Shape rows(Shape x, long count) {
    long[] dims = x.dims();
    dims[dims.length - 2] = count;
    return Shape.of(dims);
  }

  private static Span own(ShardGroup group, Span all, long count) {
    return all.slice(group.position() * count, count);
  }

  /** Equal x on its way to what each rank computes of its own. */
  record Copy(ShardGroup group) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      return in.get(0).shape();
    }

    @Override
    public boolean isView() {
      return true;
    }

    @Override
    public void forward(Kernels k, Node n) {
      // nothing to compute: the output shares the input's elements
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        group.allReduce(dy.span()); // ours alone: every consumer has added to it by now
        sink.pass(0, dy);
      }
    }
  }

  /** The sum of what the ranks have. */
  record AllReduce(ShardGroup group) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      return in.get(0).shape();
    }

    @Override
    public void forward(Kernels k, Node n) {
      k.copy(n.inputs().get(0).span(), n.output().span());
      group.allReduce(n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        sink.pass(0, dy);
      }
    }
  }

  /** This rank's rows of equal x. */
  record Split(ShardGroup group) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      return part(name(), in.get(0).shape(), group.size());
    }

    @Override
    public void forward(Kernels k, Node n) {
      Span y = n.output().span();
      k.copy(own(group, n.inputs().get(0).span(), y.length()), y);
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        group.allGather(dy.span(), sink.write(0));
      }
    }
  }

  /** The rows of all ranks, for what all compute alike. */
  record Gather(ShardGroup group) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      return whole(name(), in.get(0).shape(), group.size());
    }

    @Override
    public void forward(Kernels k, Node n) {
      group.allGather(n.inputs().get(0).span(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        Span dx = sink.write(0);
        k.copy(own(group, dy.span(), dx.length()), dx);
      }
    }
  }

  /** The rows of all ranks, for what each computes of its own. */
  record AllGather(ShardGroup group) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      return whole(name(), in.get(0).shape(), group.size());
    }

    @Override
    public void forward(Kernels k, Node n) {
      group.allGather(n.inputs().get(0).span(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        group.reduceScatter(dy.span(), sink.write(0));
      }
    }
  }

  /** This rank's rows of the sum of what the ranks have. */
  record ReduceScatter(ShardGroup group) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      return part(name(), in.get(0).shape(), group.size());
    }

    @Override
    public void forward(Kernels k, Node n) {
      group.reduceScatter(n.inputs().get(0).span(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        group.allGather(dy.span(), sink.write(0));
      }
    }
  }

  /**
   * x {@code [.., part]} to {@code [.., total]}. The shares need not be equal: a message has room
   * for the widest one. Saved: what is sent, and what is received.
   *
   * @param total columns of all ranks
   */
  record GatherColumns(ShardGroup group, long total) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape x = in.get(0).shape();
      if (x.rank() < 1 || x.dim(-1) != group.range(total).count()) {
        throw new IllegalArgumentException(
            "%s: this rank has %d of %d columns, the input is %s"
                .formatted(name(), group.range(total).count(), total, x));
      }
      return x.withLast(total);
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      long block = in.get(0).shape().rows() * group.range(total).widest();
      return List.of(Shape.of(block), Shape.of(group.size(), block));
    }

    @Override
    public void forward(Kernels k, Node n) {
      Span x = n.inputs().get(0).span();
      Span mine = n.saved().get(0).span();
      Span all = n.saved().get(1).span();
      k.fill(mine.slice(x.length(), mine.length() - x.length()), 0);
      k.copy(x, mine.slice(0, x.length()));
      group.allGather(mine, all);
      int rows = n.output().shape().rows();
      for (int rank = 0; rank < group.size(); rank++) {
        ShardRange range = ShardRange.of(total, group.size(), rank);
        Span block = all.slice(rank * mine.length(), rows * range.count());
        for (long r = 0; r < rows; r++) {
          MemorySegment row = block.slice(r * range.count(), range.count()).segment();
          at(n.output().span(), r, range).copyFrom(row);
        }
      }
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        ShardRange range = group.range(total);
        Span dx = sink.write(0);
        for (long r = 0; r < dy.shape().rows(); r++) {
          dx.slice(r * range.count(), range.count()).segment().copyFrom(at(dy.span(), r, range));
        }
      }
    }

    private MemorySegment at(Span y, long row, ShardRange range) {
      return y.slice(row * total + range.from(), range.count()).segment();
    }
  }
}
