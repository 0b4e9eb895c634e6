package dev.sortie.nn.model;

import dev.sortie.nn.Slice;
import java.util.Optional;

/** Which part of a model a process holds: some of its tensors, all of each or a share. */
public interface ModelPartition {
  /** All of it. */
  ModelPartition WHOLE = new ModelPartition() {};

  /** Whether the process computes with a tensor of this name; {@link DecoderTensors} lists them. */
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
