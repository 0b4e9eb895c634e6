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
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Passes through all layers in two stages, cut at a depth: the lower stage may run ahead token by
 * token while a draft is made, the upper one then takes all of them at once from the hidden states
 * kept at the cut. At cut 0 there is no lower stage. Hidden states of other layers are kept for
 * drafts.
 */
final class StagedPass implements DraftStates, AutoCloseable {
  private final Sequence sequence;
  private final int cut;

  /**
   * Outputs of layer {@code cut}, and of those that sources read, by position, each {@code
   * [capacity, C]}.
   */
  private final NavigableMap<Integer, Tensor> kept = new TreeMap<>();

  /** Positions done in the lower stage; 0 at cut 0. */
  private int lowerDone;

  private int featuresFrom;

  /**
   * Before the first token.
   *
   * @param features the layers whose outputs sources read
   */
  StagedPass(Decoder decoder, int capacity, int cut, Set<Integer> features, Device device) {
    this.sequence = new Sequence(decoder, capacity, device);
    this.cut = cut;
    Shape shape = Shape.of(capacity, decoder.config().hidden());
    Set<Integer> depths = new TreeSet<>(features);
    if (cut > 0) {
      depths.add(cut);
    }
    depths.forEach(d -> kept.put(d, Tensor.allocate(sequence.arena(), DType.F32, shape)));
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
    int top = sequence.decoder().config().layers();
    Integer below = kept.lowerKey(top);
    int from = below == null ? 0 : below;
    Tensor x = layers(sequence.embed(piece, position, piece.length), 0, from, position);
    if (cut > 0) {
      lowerDone = last + 1;
    }
    Tensor y = sequence.prefillTop(x, from, position, end);
    if (end && kept.containsKey(top)) {
      keep(y, top, last);
      featuresFrom = last;
    }
    return y;
  }

  /**
   * Runs layers {@code from .. to - 1} over x at positions {@code first ..}, and keeps the outputs
   * that are wanted.
   */
  private Tensor layers(Tensor x, int from, int to, int first) {
    Tensor y = x;
    int done = from;
    for (int depth : kept.subMap(from, false, to, true).keySet()) {
      y = sequence.layers(y, done, depth, first).x();
      keep(y, depth, first);
      done = depth;
    }
    return sequence.layers(y, done, to, first).x();
  }

  /** Runs the lower stage over the next token that it has not seen. */
  @Override
  public HiddenState descend(int token) {
    int from = Optional.ofNullable(kept.lowerKey(cut)).orElse(0);
    Tensor x = layers(sequence.embed(new int[] {token}, lowerDone, 1), 0, from, lowerDone);
    HiddenState h = sequence.layers(x, from, cut, lowerDone);
    keep(h.x(), cut, lowerDone);
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
        layers(sequence.embed(rest, lowerDone, rest.length), 0, cut, lowerDone);
        lowerDone = end;
      }
      in = hidden(position, end);
    }
    return layers(in, cut, top, position);
  }

  private void keep(Tensor x, int depth, int first) {
    int end = first + x.shape().size(1);
    ops().kernels().copy(x.span(), Sequence.rows(kept.get(depth), first, end).span());
  }

  @Override
  public Tensor hidden(int first, int end) {
    if (first < 0 || end > lowerDone) {
      throw new IllegalArgumentException(
          "hidden states " + first + " to " + end + ", there are " + lowerDone);
    }
    return Sequence.rows(kept.get(cut), first, end);
  }

  @Override
  public Tensor features(int depth, int first, int end) {
    if (!kept.containsKey(depth) || first < featuresFrom) {
      throw new IllegalArgumentException(
          "hidden states of layer %d from position %d; kept are those of %s from %d"
              .formatted(depth, first, kept.keySet(), featuresFrom));
    }
    return Sequence.rows(kept.get(depth), first, end);
  }

  @Override
  public int featuresFrom() {
    return featuresFrom;
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
