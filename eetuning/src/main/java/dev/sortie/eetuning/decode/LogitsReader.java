package dev.sortie.eetuning.decode;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;

/** Copies one row of logits out of the workspace and measures its confidence. */
final class LogitsReader {
  private final float[] row;

  LogitsReader(int vocab) {
    this.row = new float[vocab];
  }

  /** {@code exp(max - lse)}: the largest probability of one row of logits. */
  static double confidence(Ops ops, Tensor logits) {
    Tensor index = ops.empty(DType.I32, Shape.of(1));
    Tensor lse = ops.empty(logits.dtype(), Shape.of(1));
    ops.kernels().argmax(logits.span(), index.span(), lse.span(), 1, logits.shape().size(-1));
    return StrictMath.exp(logits.span().get(index.span().getInt(0)) - lse.span().get(0));
  }

  Step read(Tensor logits, OptionalInt exit, double confidence) {
    MemorySegment.ofArray(row).copyFrom(logits.span().segment());
    return new Step(row, exit, confidence);
  }
}
