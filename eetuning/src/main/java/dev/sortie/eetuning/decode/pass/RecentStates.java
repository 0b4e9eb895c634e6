package dev.sortie.eetuning.decode.pass;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;

/**
 * Hidden states of one text at one depth, by position: the newest ones, side by side, so that a
 * pass reads them in place.
 */
final class RecentStates {
  /**
   * States that are needed at once at most. The own layer of an exit lags less than a stable batch
   * after the last token that reached the exit, less than a stable batch of tokens may have left
   * before it since, and the rows being read are a stable batch.
   */
  private static final int NEEDED = 3 * Kernels.ROW_STABLE;

  /** Where the needed states move to the front, they do so over none of themselves. */
  private static final int CAPACITY = 2 * NEEDED;

  private final Tensor store;

  /** Position of the first row. */
  private int base;

  RecentStates(Allocator allocator, int width) {
    this.store = Tensor.allocate(allocator, DType.F32, Shape.of(CAPACITY, width));
  }

  /**
   * Stores states {@code [.., C]} of the positions {@code first ..}.
   *
   * @param needed the first position before them that is read again, {@code first} if none is
   */
  void put(Ops ops, int needed, int first, Tensor states) {
    int end = first + Sequence.count(states);
    if (needed < base && needed < first || end - needed > CAPACITY) {
      throw new IllegalStateException(
          "states from position %d to %d, those from %d are kept".formatted(needed, end, base));
    }
    if (first < base) {
      base = first; // what was kept is forgotten
    } else if (end - base > CAPACITY) {
      if (needed < first) {
        Tensor kept = rows(needed, first);
        base = needed;
        ops.kernels().copy(kept.span(), rows(needed, first).span());
      }
      base = needed;
    }
    ops.kernels().copy(states.span(), rows(first, end).span());
  }

  /** Those of positions {@code first .. end - 1}, {@code [1, end - first, C]}. */
  Tensor rows(int first, int end) {
    return Sequence.rows(store, first - base, end - base);
  }
}
