package dev.sortie.parallel.shard;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Node;
import dev.sortie.tensor.autograd.Sink;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The last dim, put together from the ranks' shares. */
final class Columns {
  private Columns() {}

  /**
   * x {@code [.., share]} to {@code [.., total]}. The shares need not be equal: a message has room
   * for the widest one. Saved: what is sent, and what is received.
   *
   * @param total columns of all ranks
   */
  record GatherColumns(ShardGroup group, long total) implements ShardOp {
    @Override
    public Shape shape(List<Tensor> in) {
      Shape x = in.get(0).shape();
      if (x.rank() < 1 || x.dim(-1) != group.share(total).count()) {
        throw new IllegalArgumentException(
            "%s: this rank has %d of %d columns, the input is %s"
                .formatted(name(), group.share(total).count(), total, x));
      }
      return x.withLast(total);
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      long block = in.get(0).shape().rows() * group.share(total).widest();
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
        Share share = Share.of(total, group.size(), rank);
        Span block = all.slice(rank * mine.length(), rows * share.count());
        for (long r = 0; r < rows; r++) {
          MemorySegment row = block.slice(r * share.count(), share.count()).segment();
          at(n.output().span(), r, share).copyFrom(row);
        }
      }
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        Share share = group.share(total);
        Span dx = sink.write(0);
        for (long r = 0; r < dy.shape().rows(); r++) {
          dx.slice(r * share.count(), share.count()).segment().copyFrom(at(dy.span(), r, share));
        }
      }
    }

    private MemorySegment at(Span y, long row, Share share) {
      return y.slice(row * total + share.from(), share.count()).segment();
    }
  }
}
