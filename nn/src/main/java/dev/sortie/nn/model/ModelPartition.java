package dev.sortie.nn.model;

import dev.sortie.nn.Slice;
import java.util.Optional;
import java.util.function.Predicate;

/** Which part of a model a process holds: some of its tensors, all of each or a share. */
public interface ModelPartition {
  /** All of it. */
  ModelPartition WHOLE = new ModelPartition() {};

  /** Of some tensors all, of the others nothing; by the names that {@link DecoderTensors} lists. */
  static ModelPartition of(Predicate<String> needed) {
    return new ModelPartition() {
      @Override
      public boolean needs(String name) {
        return needed.test(name);
      }
    };
  }

  /** Whether the process computes with a tensor of this name. */
  default boolean needs(String name) {
    return true;
  }

  /** Which part of such a tensor it holds; empty: all of it. */
  default Optional<Slice> part(DecoderConfig whole, String name) {
    return Optional.empty();
  }

  /** The sizes of its share of a decoder. */
  default DecoderConfig share(DecoderConfig whole) {
    return whole;
  }
}
