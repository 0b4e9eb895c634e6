package dev.sortie.parallel.shard;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;

/**
 * Targets as one rank's part of the vocabulary sees them: I32, counted from its first token. A
 * token of another rank is {@code 0}: some column of this rank stands in for it, since kernels take
 * a negative one for a row that does not count.
 */
final class LocalTargets {
  private LocalTargets() {}

  /** Those of {@code targets}, which are checked. */
  static Tensor of(Ops ops, Tensor targets, ShardRange vocab, long total) {
    if (targets.dtype() != DType.I32) {
      throw new IllegalArgumentException("targets must be I32, got " + targets);
    }
    Tensor local = ops.empty(DType.I32, targets.shape());
    Span from = ops.contiguous(targets).span();
    for (long r = 0; r < from.length(); r++) {
      int target = from.getInt(r);
      if (target >= total) {
        throw new IllegalArgumentException(
            "target " + target + " of row " + r + " is outside the vocabulary of " + total);
      }
      local.span().set(r, target < 0 ? -1 : vocab.holds(target) ? target - vocab.from() : 0);
    }
    return local;
  }
}
