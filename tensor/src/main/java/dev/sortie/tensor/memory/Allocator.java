package dev.sortie.tensor.memory;

import dev.sortie.tensor.dtype.DType;

/** Gives out storages. Contents are zero unless the implementation says otherwise. */
public interface Allocator {
  /** Memory for {@code length} elements, 64-byte aligned. */
  Storage allocate(DType dtype, long length);
}
