package dev.sortie.parallel.shard;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Some numbers per row from each rank, brought to all in one all-gather: what a softmax over a
 * shared out vocabulary needs. Those of one kind lie together.
 *
 * @param group the ranks
 * @param mine {@code [kinds, rows]}
 * @param all {@code [ranks, kinds, rows]}
 * @param rows how many rows
 */
record RowStatistics(ShardGroup group, Span mine, Span all, int rows) {

  /** Shapes of {@code mine} and {@code all}. */
  static List<Shape> shapes(ShardGroup group, int kinds, long rows) {
    return List.of(Shape.of(kinds, rows), Shape.of(group.size(), kinds, rows));
  }

  /** Over the first {@code rows} rows of memory for as many or more. */
  static RowStatistics over(ShardGroup group, Span mine, Span all, int kinds, int rows) {
    long block = (long) kinds * rows;
    return new RowStatistics(group, mine.slice(0, block), all.slice(0, block * group.size()), rows);
  }

  /** Memory for this rank's numbers of one kind. */
  Span mine(int kind) {
    return mine.slice((long) kind * rows, rows);
  }

  /** One collective. */
  void gather(Kernels k) {
    if (group.size() == 1) {
      k.copy(mine, all);
    } else {
      group.allGather(mine, all);
    }
  }

  /** A rank's number. */
  double of(int rank, int kind, int row) {
    return all.get(rank * mine.length() + (long) kind * rows + row);
  }

  /** {@code log Σ exp} over the ranks, ascending. */
  double logSumExp(int kind, int row) {
    double max = max(kind, row);
    double sum = 0;
    for (int rank = 0; rank < group.size(); rank++) {
      sum += StrictMath.exp(of(rank, kind, row) - max);
    }
    return max + StrictMath.log(sum);
  }

  /** The largest over the ranks. */
  double max(int kind, int row) {
    double max = Double.NEGATIVE_INFINITY;
    for (int rank = 0; rank < group.size(); rank++) {
      max = Math.max(max, of(rank, kind, row));
    }
    return max;
  }

  /** The sum over the ranks, ascending. */
  double sum(int kind, int row) {
    double sum = 0;
    for (int rank = 0; rank < group.size(); rank++) {
      sum += of(rank, kind, row);
    }
    return sum;
  }
}
