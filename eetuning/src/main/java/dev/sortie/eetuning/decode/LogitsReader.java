package dev.sortie.eetuning.decode;

import dev.sortie.nn.TopTokens;
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

  /** The largest probability of one row of logits. */
  static double confidence(Ops ops, Tensor logits) {
    return TopTokens.of(ops, logits).probability(0);
  }

  Step read(Tensor logits, OptionalInt exit, double confidence) {
    MemorySegment.ofArray(row).copyFrom(logits.span().segment());
    return new Step(row, exit, confidence);
  }
}
