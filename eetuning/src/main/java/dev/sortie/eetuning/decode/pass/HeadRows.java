package dev.sortie.eetuning.decode.pass;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;

/**
 * What a head read at some of the positions being read, and its logits there. One position is
 * answered at once, so of one the tensors of the pass are taken; of several, draft tokens among
 * them, they are kept until the text comes there. The memory for that is taken when it is first
 * needed: a text without drafts never needs it, and for SmolLM2-135M it would be 3 MB.
 */
final class HeadRows {
  private final Sequence sequence;
  private final int rows;
  private final int tokens;

  /** {@code [rows, C]} and {@code [rows, V]}; null before several positions were read. */
  private Tensor stateStore;

  private Tensor logitsStore;

  private Tensor states;
  private Tensor logits;
  private double[] confidences = new double[0];
  private int[] positions = new int[0];

  /** For {@code rows} positions at once, at most. */
  HeadRows(Sequence sequence, int rows, int tokens) {
    this.sequence = sequence;
    this.rows = rows;
    this.tokens = tokens;
  }

  private Tensor store(int width) {
    return Tensor.allocate(sequence.arena(), DType.F32, Shape.of(rows, width));
  }

  /** The head was read at these positions: states {@code [.., C]}, logits {@code [.., V]}. */
  void put(Ops ops, int[] at, Tensor newStates, Tensor newLogits) {
    positions = at;
    if (at.length == 1) {
      states = newStates;
      logits = newLogits;
      return;
    }
    if (stateStore == null) {
      stateStore = store(sequence.decoder().config().hidden());
      logitsStore = store(tokens);
    }
    states = kept(ops, newStates, stateStore);
    logits = kept(ops, newLogits, logitsStore);
  }

  /** As above, with the largest probability of each row of logits. */
  void put(Ops ops, int[] at, Tensor newStates, Tensor newLogits, double[] newConfidences) {
    confidences = newConfidences;
    put(ops, at, newStates, newLogits);
  }

  private static Tensor kept(Ops ops, Tensor x, Tensor store) {
    Tensor kept = Sequence.rows(store, 0, Sequence.count(x));
    ops.kernels().copy(x.span(), kept.span());
    return kept;
  }

  /** Whether it was read at {@code position}. */
  boolean has(int position) {
    return index(position) >= 0;
  }

  private int index(int position) {
    for (int i = 0; i < positions.length; i++) {
      if (positions[i] == position) {
        return i;
      }
    }
    return -1;
  }

  /** What it read there, {@code [1, C]}. */
  Tensor state(int position) {
    return Sequence.row(states, index(position));
  }

  /** Its logits there, {@code [1, V]}. */
  Tensor logits(int position) {
    return Sequence.row(logits, index(position));
  }

  /** The largest probability there, where it was given. */
  double confidence(int position) {
    return confidences[index(position)];
  }

  /** Forgets positions {@code count} and above. */
  void rewind(int count) {
    for (int i = 0; i < positions.length; i++) {
      positions[i] = positions[i] < count ? positions[i] : -1;
    }
  }
}
