package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.memory.Allocator;

/**
 * Keys and values of one attention layer for one sequence, by position: in one block, or in pages
 * of a pool. Where they lie does not show in any result.
 */
public sealed interface KvCache permits BlockKvCache, PagedKvCache {

  /** A cache in one block for {@code capacity} tokens. */
  static KvCache of(Allocator allocator, DType dtype, int capacity, int kvHeads, int headSize) {
    Shape s = Shape.of(capacity, kvHeads, headSize);
    return new BlockKvCache(
        Tensor.allocate(allocator, dtype, s), Tensor.allocate(allocator, dtype, s));
  }

  /** Number of tokens that fit. */
  int capacity();

  /**
   * Stores the keys and values of {@code k.shape().dim(1)} tokens from position {@code first} on;
   * k, v {@code [1, T, K, D]}.
   */
  void put(Ops ops, int first, Tensor k, Tensor v);

  /**
   * Attention of queries {@code [1, T, H, D]} over the first {@code shape.keys()} tokens; nothing
   * is recorded for gradients.
   */
  Tensor attend(Ops ops, Tensor queries, AttentionShape shape);

  /**
   * The same attention, to be computed with that of other sequences; into {@code out} {@code [1, T,
   * H, D]}.
   */
  AttentionCall.OverRuns part(Ops ops, Tensor queries, Tensor out, AttentionShape shape);

  /**
   * The keys of positions {@code 0 .. count - 1}, {@code [1, count, K, D]}; a view, or a copy in
   * the workspace of {@code ops}.
   */
  Tensor keys(Ops ops, int count);

  /** The values of positions {@code 0 .. count - 1}, as above. */
  Tensor values(Ops ops, int count);
}
