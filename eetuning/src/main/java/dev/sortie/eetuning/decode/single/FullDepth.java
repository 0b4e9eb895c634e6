package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.eetuning.decode.pass.LogitsReader;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;

/** Decoding through all layers: the unmodified backbone, the baseline of every speed-up. */
public final class FullDepth implements DecodingStrategy {
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
    return ChunkedPrefill.each(
        prompt, (chunk, end) -> sequence.step(() -> prefillChunk(chunk, end)));
  }

  private Step prefillChunk(int[] chunk, boolean end) {
    Tensor x = sequence.embed(chunk, position, chunk.length);
    Tensor y = sequence.prefillTop(x, 0, position, end);
    Step step = end ? reader.readFinal(sequence, y) : null;
    position += chunk.length;
    return step;
  }

  @Override
  public Step next(int token) {
    Step step =
        sequence.step(
            () -> {
              Tensor x = sequence.embed(new int[] {token}, position, 1);
              int layers = sequence.decoder().config().layers();
              return reader.readFinal(sequence, sequence.layers(x, 0, layers, position).x());
            });
    position++;
    return step;
  }

  @Override
  public int position() {
    return position;
  }

  @Override
  public void rewind(int count) {
    position = Sequence.checkKept(count, position);
  }

  @Override
  public void close() {
    sequence.close();
  }
}
