package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * A cache whose tokens lie in pages of stores that many sequences share. Attention of few queries
 * reads keys and values where they lie, run by run, with the bits of one block; for a piece of a
 * prompt they are first copied together, which costs little compared with its work.
 *
 * @param keys of one layer, all pages: {@code [pages * size, K, D]}
 * @param values the same shape
 * @param table which rows are the sequence's
 */
public record PagedKvCache(Tensor keys, Tensor values, PageTable table) implements KvCache {

  @Override
  public int capacity() {
    return table.capacity();
  }

  @Override
  public void put(Ops ops, int first, Tensor k, Tensor v) {
    int end = first + k.shape().size(1);
    if (end > capacity()) {
      throw new IllegalArgumentException("token " + end + " of a cache for " + capacity());
    }
    long row = k.shape().dim(2) * k.shape().dim(3);
    for (int i = 0; i < table.runs(end); i++) {
      int from = Math.max(first, table.start(i));
      int count = Math.min(end, table.end(i)) - from;
      if (count > 0) {
        Span source = k.span().slice((from - first) * row, count * row);
        ops.kernels().copy(source, run(keys, i, from, count));
        source = v.span().slice((from - first) * row, count * row);
        ops.kernels().copy(source, run(values, i, from, count));
      }
    }
  }

  @Override
  public Tensor attend(Ops ops, Tensor queries, AttentionShape shape) {
    int count = shape.keys();
    if (table.runs(count) == 1 || shape.queries() > Kernels.ROW_STABLE) {
      return ops.attention(queries, keys(ops, count), values(ops, count), shape);
    }
    Tensor out = ops.empty(queries.dtype(), queries.shape());
    ops.kernels().attention(List.of(part(ops, queries, out, shape)));
    return out;
  }

  @Override
  public AttentionCall.OverRuns part(Ops ops, Tensor queries, Tensor out, AttentionShape shape) {
    int count = shape.keys();
    return part(ops, queries, runs(keys, count), runs(values, count), out, shape);
  }

  static AttentionCall.OverRuns part(
      Ops ops, Tensor queries, List<Span> k, List<Span> v, Tensor out, AttentionShape shape) {
    Tensor lse = ops.empty(queries.dtype(), Shape.of(1, shape.heads(), shape.queries()));
    return new AttentionCall.OverRuns(queries.span(), k, v, out.span(), lse.span(), shape);
  }

  @Override
  public Tensor keys(Ops ops, int count) {
    return together(ops, keys, count);
  }

  @Override
  public Tensor values(Ops ops, int count) {
    return together(ops, values, count);
  }

  private Tensor together(Ops ops, Tensor store, int count) {
    if (table.runs(count) == 1) {
      return BlockKvCache.rows(store, table.row(0, 0), count);
    }
    Shape shape = Shape.of(1, count, store.shape().dim(1), store.shape().dim(2));
    Tensor all = ops.empty(store.dtype(), shape);
    long at = 0;
    for (Span run : runs(store, count)) {
      ops.kernels().copy(run, all.span().slice(at, run.length()));
      at += run.length();
    }
    return all;
  }

  private List<Span> runs(Tensor store, int count) {
    int runs = table.runs(count);
    List<Span> list = new ArrayList<>(runs);
    for (int i = 0; i < runs; i++) {
      int from = table.start(i);
      list.add(run(store, i, from, Math.min(count, table.end(i)) - from));
    }
    return list;
  }

  private Span run(Tensor store, int run, int from, int count) {
    return BlockKvCache.rows(store, table.row(run, from), count).span();
  }
}
