package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Passes through all layers in two stages, cut at a depth: the lower stage may run ahead token by
 * token while a draft is made, the upper one then takes all of them at once from the hidden states
 * kept at the cut. At cut 0 there is no lower stage.
 */
final class StagedPass implements DraftStates, AutoCloseable {
  private final Sequence sequence;
  private final int cut;

  /** Outputs of layer {@code cut} by position, {@code [capacity, C]}; null at cut 0. */
  private final Tensor hidden;

  /** Outputs of the last layer by position, {@code [capacity, C]}; null where nobody reads them. */
  private final Tensor finals;

  /** Positions done in the lower stage; 0 at cut 0. */
  private int lowerDone;

  private int finalsFrom;

  StagedPass(Decoder decoder, int capacity, int cut, boolean keepFinals, Device device) {
    this.sequence = new Sequence(decoder, capacity, device);
    this.cut = cut;
    this.hidden = cut == 0 ? null : store();
    this.finals = keepFinals ? store() : null;
  }

  private Tensor store() {
    Shape shape = Shape.of(sequence.capacity(), sequence.decoder().config().hidden());
    return Tensor.allocate(sequence.arena(), DType.F32, shape);
  }

  Sequence sequence() {
    return sequence;
  }

  @Override
  public <T> T step(Supplier<T> body) {
    return sequence.step(body);
  }

  @Override
  public Decoder decoder() {
    return sequence.decoder();
  }

  @Override
  public Ops ops() {
    return sequence.ops();
  }

  /**
   * Reads a piece of a prompt.
   *
   * @param end whether the piece ends the prompt
   * @return the final hidden state of its last token, {@code [1, 1, C]}, or null
   */
  Tensor prefill(int[] piece, int position, boolean end) {
    int last = position + piece.length - 1;
    Tensor x = sequence.embed(piece, position, piece.length);
    if (cut > 0) {
      x = sequence.layers(x, 0, cut, position).x();
      keep(x, hidden, position);
      lowerDone = last + 1;
    }
    Tensor y = sequence.prefillTop(x, cut, position, end);
    if (end && finals != null) {
      keep(y, finals, last);
      finalsFrom = last;
    }
    return y;
  }

  /** Runs the lower stage over the next token that it has not seen. */
  @Override
  public HiddenState descend(int token) {
    HiddenState h =
        sequence.layers(sequence.embed(new int[] {token}, lowerDone, 1), 0, cut, lowerDone);
    keep(h.x(), hidden, lowerDone);
    lowerDone++;
    return h;
  }

  /**
   * Runs what is missing of both stages over {@code tokens}, which stand at positions {@code
   * position ..}.
   *
   * @return final hidden states, {@code [1, T, C]}
   */
  Tensor pass(int[] tokens, int position) {
    int end = position + tokens.length;
    int top = sequence.decoder().config().layers();
    Tensor in;
    if (cut == 0) {
      in = sequence.embed(tokens, position, tokens.length);
    } else {
      if (lowerDone < end) {
        int[] rest = Arrays.copyOfRange(tokens, lowerDone - position, tokens.length);
        Tensor x = sequence.embed(rest, lowerDone, rest.length);
        keep(sequence.layers(x, 0, cut, lowerDone).x(), hidden, lowerDone);
        lowerDone = end;
      }
      in = hidden(position, end);
    }
    Tensor y = sequence.layers(in, cut, top, position).x();
    if (finals != null) {
      keep(y, finals, position);
    }
    return y;
  }

  private void keep(Tensor x, Tensor store, int first) {
    int end = first + x.shape().size(1);
    ops().kernels().copy(x.span(), Sequence.rows(store, first, end).span());
  }

  @Override
  public Tensor hidden(int first, int end) {
    if (first < 0 || end > lowerDone) {
      throw new IllegalArgumentException(
          "hidden states " + first + " to " + end + ", there are " + lowerDone);
    }
    return Sequence.rows(hidden, first, end);
  }

  @Override
  public Tensor finalStates(int first, int end) {
    if (finals == null || first < finalsFrom) {
      throw new IllegalArgumentException(
          "final states from position "
              + first
              + ", they are kept "
              + (finals == null ? "for no source" : "from " + finalsFrom));
    }
    return Sequence.rows(finals, first, end);
  }

  @Override
  public int finalsFrom() {
    return finalsFrom;
  }

  @Override
  public void rewind(int count) {
    lowerDone = Math.min(lowerDone, count);
  }

  @Override
  public void close() {
    sequence.close();
  }
}
