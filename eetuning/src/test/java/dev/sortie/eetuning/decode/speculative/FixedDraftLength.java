package dev.sortie.eetuning.decode.speculative;

import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.device.Device;
import java.util.List;
import java.util.stream.IntStream;

/** Drafts as many tokens as allowed, whatever comes of it. */
public record FixedDraftLength(int most) implements DraftLength {

  /** Decoding that always drafts {@code most} tokens where it can. */
  public static Speculative decoding(
      Decoder decoder, List<DraftSource> sources, int capacity, Device device, int most) {
    return new Speculative(
        decoder, sources, capacity, device, new FixedDraftLength(most), System::nanoTime);
  }

  @Override
  public double plainRate() {
    return 0;
  }

  @Override
  public Choice choose(int source, int kind, int available) {
    return new Choice(Math.min(most, available), 1 + source);
  }

  @Override
  public double[] expected(int source, int kind, int available) {
    return IntStream.rangeClosed(0, Math.min(most, available)).asDoubleStream().toArray();
  }

  @Override
  public void compared(int source, int kind, int right, boolean failed) {}

  @Override
  public void finished(int source, int limit, double seconds, int emitted) {}
}
