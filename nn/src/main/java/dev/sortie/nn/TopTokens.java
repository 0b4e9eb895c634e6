package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.ValueLayout;

/**
 * The most likely token of each row of logits, the first one of equals, and how likely it is. All
 * that choose or count tokens by logits come through here, where logits that are no numbers are
 * refused.
 *
 * @param logits {@code [.., V]}, R rows
 * @param index I32 {@code [R]}
 * @param lse log-sum-exp of each row, {@code [R]}
 */
public record TopTokens(Tensor logits, Tensor index, Tensor lse) {

  private static final String NOT_FINITE =
      "the model's logits are not finite: a weight in its file is not, or training diverged;"
          + " --dtype f32 looks through all weights and names the tensor";

  /**
   * Those of {@code logits}; in the workspace of {@code ops}.
   *
   * @throws InputException if a logit is NaN or positive infinity, or all are negative infinity: so
   *     says a log-sum-exp that is not finite, for each of them is in its sum
   */
  public static TopTokens of(Ops ops, Tensor logits) {
    int rows = logits.shape().rows();
    Tensor index = ops.empty(DType.I32, Shape.of(rows));
    Tensor lse = ops.empty(logits.dtype(), Shape.of(rows));
    ops.kernels().argmax(logits.span(), index.span(), lse.span(), rows, logits.shape().size(-1));
    for (int row = 0; row < rows; row++) {
      if (!Double.isFinite(lse.span().get(row))) {
        throw new InputException(NOT_FINITE);
      }
    }
    return new TopTokens(logits, index, lse);
  }

  /** The token of each row, a copy. */
  public int[] ids() {
    return index.span().readOnly().toArray(ValueLayout.JAVA_INT_UNALIGNED);
  }

  /** {@code exp(max - lse)}: the probability of row {@code row}'s token, at temperature 1. */
  public double probability(long row) {
    double max = logits.span().get(row * logits.shape().dim(-1) + index.span().getInt(row));
    return StrictMath.exp(max - lse.span().get(row));
  }
}
