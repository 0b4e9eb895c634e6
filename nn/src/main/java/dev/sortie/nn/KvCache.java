package dev.sortie.nn;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Allocator;

/**
 * Keys and values of one attention layer for one sequence: row {@code p} belongs to the token at
 * position {@code p}.
 *
 * @param keys {@code [capacity, K, D]}, rotated
 * @param values {@code [capacity, K, D]}
 */
public record KvCache(Tensor keys, Tensor values) {

  /** A cache for {@code capacity} tokens. */
  public static KvCache of(
      Allocator allocator, DType dtype, int capacity, int kvHeads, int headSize) {
    Shape s = Shape.of(capacity, kvHeads, headSize);
    return new KvCache(Tensor.allocate(allocator, dtype, s), Tensor.allocate(allocator, dtype, s));
  }

  /** Number of tokens that fit. */
  public int capacity() {
    return keys.shape().size(0);
  }

  /**
   * Stores the keys and values of {@code k.shape().dim(1)} tokens from position {@code first} on;
   * k, v {@code [1, T, K, D]}.
   */
  public void put(Ops ops, int first, Tensor k, Tensor v) {
    ops.kernels().copy(k.span(), rows(keys, first, k.shape().size(1)).span());
    ops.kernels().copy(v.span(), rows(values, first, v.shape().size(1)).span());
  }

  /** The keys of positions {@code 0 .. count - 1}, {@code [1, count, K, D]}. */
  public Tensor keys(int count) {
    return rows(keys, 0, count);
  }

  /** The values of positions {@code 0 .. count - 1}, {@code [1, count, K, D]}. */
  public Tensor values(int count) {
    return rows(values, 0, count);
  }

  private static Tensor rows(Tensor t, int first, int count) {
    long row = t.shape().dim(1) * t.shape().dim(2);
    return Tensor.of(
        t.span().slice(first * row, count * row),
        Shape.of(1, count, t.shape().dim(1), t.shape().dim(2)));
  }
}
