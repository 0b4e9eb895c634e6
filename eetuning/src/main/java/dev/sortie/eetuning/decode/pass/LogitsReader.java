package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.nn.InputException;
import dev.sortie.nn.TopTokens;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;

/** Copies one row of logits out of the workspace and measures its confidence. */
public final class LogitsReader {
  private static final String NOT_FINITE =
      "the model's logits are not finite: a weight in its file is not, or training diverged;"
          + " --dtype f32 looks through all weights and names the tensor";

  private final float[] row;

  /** Logits of a draft head on their way into the row. */
  private float[] drafted = new float[0];

  public LogitsReader(int vocab) {
    this.row = new float[vocab];
  }

  /**
   * The row as a step.
   *
   * @throws InputException if a logit is not finite: so says a confidence that is none, for each of
   *     them is in its sum
   */
  public Step read(Tensor logits, OptionalInt exit, double confidence) {
    if (Double.isNaN(confidence)) {
      throw new InputException(NOT_FINITE);
    }
    MemorySegment.ofArray(row).copyFrom(logits.span().readOnly());
    return new Step(row, exit, confidence);
  }

  /** The final layer's logits of the last row of {@code [1, T, C]}. */
  public Step readFinal(Sequence sequence, Tensor y) {
    Ops ops = sequence.ops();
    Tensor logits = sequence.decoder().logits(ops, Sequence.lastRow(y));
    return read(logits, OptionalInt.empty(), TopTokens.of(ops, logits).probability(0));
  }

  /** One row of an exit's logits; tokens that its head does not cover cannot be chosen. */
  public Step read(Tensor logits, Exit exit, double confidence) {
    OptionalInt depth = OptionalInt.of(exit.depth());
    if (exit.draft().isEmpty()) {
      return read(logits, depth, confidence);
    }
    DraftVocabulary draft = exit.draft().get();
    if (drafted.length != draft.size()) {
      drafted = new float[draft.size()];
    }
    MemorySegment.ofArray(drafted).copyFrom(logits.span().readOnly());
    draft.spread(drafted, row);
    return new Step(row, depth, confidence);
  }
}
