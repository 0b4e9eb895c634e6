package dev.sortie.eetuning.decode;

import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Tensor;
import java.util.OptionalInt;

/** Decoding through all layers: the unmodified backbone, the baseline of every speed-up. */
public final class FullDepth implements DecodingStrategy {
  /**
   * Prompt tokens in one pass: bounds the memory of temporaries, large enough for full matrix
   * speed.
   */
  static final int PREFILL_CHUNK = 256;

  private final Sequence sequence;
  private final LogitsReader reader;
  private int position;

  /** A new sequence with room for {@code capacity} tokens. */
  public FullDepth(Decoder decoder, int capacity, Device device) {
    this.sequence = new Sequence(decoder, capacity, device);
    this.reader = new LogitsReader(decoder.config().vocab());
  }

  @Override
  public Step prefill(int[] prompt) {
    Step last = null;
    for (int from = 0; from < prompt.length; from += PREFILL_CHUNK) {
      int to = Math.min(prompt.length, from + PREFILL_CHUNK);
      last = read(java.util.Arrays.copyOfRange(prompt, from, to), to == prompt.length);
    }
    return last;
  }

  @Override
  public Step next(int token) {
    return read(new int[] {token}, true);
  }

  private Step read(int[] tokens, boolean wantLogits) {
    Step step =
        sequence.step(
            () -> {
              Tensor x = sequence.embed(tokens, position, tokens.length);
              int layers = sequence.decoder().config().layers();
              Tensor y = sequence.layers(x, 0, layers, position).x();
              return wantLogits ? logits(sequence, reader, y) : null;
            });
    position += tokens.length;
    return step;
  }

  /** The final layer's logits of the last row. */
  static Step logits(Sequence sequence, LogitsReader reader, Tensor y) {
    Tensor logits = sequence.decoder().logits(sequence.ops(), Sequence.lastRow(y));
    return reader.read(
        logits, OptionalInt.empty(), LogitsReader.confidence(sequence.ops(), logits));
  }

  @Override
  public int position() {
    return position;
  }

  @Override
  public void close() {
    sequence.close();
  }
}
