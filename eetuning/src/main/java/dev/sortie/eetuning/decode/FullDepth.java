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
  static final int PREFILL_CHUNK = 512;

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
    for (int from = 0, to; from < prompt.length; from = to) {
      to = Pieces.end(from, prompt.length, PREFILL_CHUNK);
      int[] piece = java.util.Arrays.copyOfRange(prompt, from, to);
      boolean end = to == prompt.length;
      last = sequence.step(() -> prefillChunk(piece, end));
      position += piece.length;
    }
    return last;
  }

  private Step prefillChunk(int[] piece, boolean end) {
    Tensor x = sequence.embed(piece, position, piece.length);
    Tensor y = sequence.prefillTop(x, 0, position, end);
    return end ? logits(sequence, reader, y) : null;
  }

  @Override
  public Step next(int token) {
    Step step =
        sequence.step(
            () -> {
              Tensor x = sequence.embed(new int[] {token}, position, 1);
              int layers = sequence.decoder().config().layers();
              return logits(sequence, reader, sequence.layers(x, 0, layers, position).x());
            });
    position++;
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
  public void rewind(int count) {
    position = checkKept(count, position);
  }

  /** The number of tokens to keep, which were read. */
  static int checkKept(int count, int position) {
    if (count < 0 || count > position) {
      throw new IllegalArgumentException("to keep " + count + " tokens, expected 0 to " + position);
    }
    return count;
  }

  @Override
  public void close() {
    sequence.close();
  }
}
