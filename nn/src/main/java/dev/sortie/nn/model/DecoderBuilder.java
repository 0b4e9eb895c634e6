package dev.sortie.nn.model;

import dev.sortie.nn.SlicedWeights;
import dev.sortie.tensor.memory.Allocator;
import java.util.function.Predicate;

/** Makes the decoder of a model that is being loaded: all of it, or one rank's share. */
@FunctionalInterface
public interface DecoderBuilder extends ModelPartition {
  /** All of it. */
  DecoderBuilder WHOLE = Decoder::new;

  /**
   * The decoder.
   *
   * @param config of the whole
   * @param allocator for the rotary tables
   * @param weights of the whole, by the names that {@link DecoderTensors} lists
   */
  Decoder build(DecoderConfig config, Allocator allocator, SlicedWeights weights);

  /** All of it, of which only some tensors are computed with. */
  static DecoderBuilder part(Predicate<String> needed) {
    return new DecoderBuilder() {
      @Override
      public Decoder build(DecoderConfig config, Allocator allocator, SlicedWeights weights) {
        return WHOLE.build(config, allocator, weights);
      }

      @Override
      public boolean needs(String name) {
        return needed.test(name);
      }
    };
  }
}
