package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.exit.ExitAnswer;
import dev.sortie.nn.TopTokens;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;

/** Copies one row of logits out of the workspace and measures its confidence. */
public final class LogitsReader {
  private final float[] row;

  public LogitsReader(int vocab) {
    this.row = new float[vocab];
  }

  /** The row as a step. */
  public Step read(Tensor logits, OptionalInt exit, double confidence) {
    MemorySegment.ofArray(row).copyFrom(logits.span().readOnly());
    return new Step(row, exit, confidence);
  }

  /** The final layer's logits of the last row of {@code [1, T, C]}. */
  public Step readFinal(Sequence sequence, Tensor y) {
    Ops ops = sequence.ops();
    Tensor logits = sequence.decoder().logits(ops, Sequence.lastRow(y));
    return read(logits, OptionalInt.empty(), TopTokens.of(ops, logits).probability(0));
  }

  /** What an exit says; tokens that its head does not cover cannot be chosen. */
  public Step read(ExitAnswer answer, int depth, double confidence) {
    answer.spread(row);
    return new Step(row, OptionalInt.of(depth), confidence);
  }
}
