package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import java.util.List;

/**
 * A cache in one block: row {@code p} belongs to the token at position {@code p}.
 *
 * @param keys {@code [capacity, K, D]}, rotated
 * @param values {@code [capacity, K, D]}
 */
record BlockKvCache(Tensor keys, Tensor values) implements KvCache {

  @Override
  public int capacity() {
    return keys.shape().size(0);
  }

  @Override
  public void put(Ops ops, int first, Tensor k, Tensor v) {
    ops.kernels().copy(k.span(), rows(keys, first, k.shape().size(1)).span());
    ops.kernels().copy(v.span(), rows(values, first, v.shape().size(1)).span());
  }

  @Override
  public Tensor attend(Ops ops, Tensor queries, AttentionShape shape) {
    return ops.attention(queries, keys(ops, shape.keys()), values(ops, shape.keys()), shape);
  }

  @Override
  public AttentionCall.OverRuns part(Ops ops, Tensor queries, Tensor out, AttentionShape shape) {
    return PagedKvCache.part(
        ops,
        queries,
        List.of(keys(ops, shape.keys()).span()),
        List.of(values(ops, shape.keys()).span()),
        out,
        shape);
  }

  @Override
  public Tensor keys(Ops ops, int count) {
    return rows(keys, 0, count);
  }

  @Override
  public Tensor values(Ops ops, int count) {
    return rows(values, 0, count);
  }

  /** Rows of {@code [N, K, D]} as {@code [1, count, K, D]}. */
  static Tensor rows(Tensor t, long first, long count) {
    long row = t.shape().dim(1) * t.shape().dim(2);
    return Tensor.of(
        t.span().slice(first * row, count * row),
        Shape.of(1, count, t.shape().dim(1), t.shape().dim(2)));
  }
}
