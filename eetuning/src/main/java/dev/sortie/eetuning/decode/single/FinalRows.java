package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.LogitsReader;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.nn.TopTokens;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.OptionalInt;

/** What the whole head says after some of the tokens being read. */
final class FinalRows {
  private final Sequence sequence;

  /** Logits after {@link #positions}, {@code [rows, V]}. */
  private final Tensor logits;

  private int[] positions = new int[0];

  /** For {@code rows} tokens at once, at most. */
  FinalRows(Sequence sequence, int rows) {
    this.sequence = sequence;
    this.logits =
        Tensor.allocate(
            sequence.arena(), DType.F32, Shape.of(rows, sequence.decoder().config().vocab()));
  }

  private int row(int position) {
    for (int i = 0; i < positions.length; i++) {
      if (positions[i] == position) {
        return i;
      }
    }
    return -1;
  }

  /** Whether the head was read for the token at {@code position}. */
  boolean has(int position) {
    return row(position) >= 0;
  }

  /** Reads the head for the tokens at these positions. */
  void read(ExitSegment last, int[] wanted) {
    Ops ops = sequence.ops();
    int first = wanted[0];
    int end = wanted[wanted.length - 1] + 1;
    Tensor in = last.hidden(first, end);
    if (end - first > wanted.length) {
      in = ops.empty(DType.F32, Shape.of(1, wanted.length, in.shape().dim(-1)));
      for (int i = 0; i < wanted.length; i++) {
        ops.kernels().copy(last.state(wanted[i]).span(), Sequence.rows(in, i, i + 1).span());
      }
    }
    Tensor states = in;
    ops.into(Sequence.rows(logits, 0, wanted.length), () -> sequence.decoder().logits(ops, states));
    positions = wanted;
  }

  /** What it said after the token at {@code position}. */
  Step answer(int position, LogitsReader reader) {
    int row = row(position);
    Tensor z = Sequence.lastRow(Sequence.rows(logits, row, row + 1));
    return reader.read(z, OptionalInt.empty(), TopTokens.of(sequence.ops(), z).probability(0));
  }

  /** Forgets positions {@code count} and above. */
  void rewind(int count) {
    for (int i = 0; i < positions.length; i++) {
      positions[i] = positions[i] < count ? positions[i] : -1;
    }
  }
}
