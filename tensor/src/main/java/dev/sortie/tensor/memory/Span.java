package dev.sortie.tensor.memory;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.Blocks;
import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A contiguous run of elements in a storage: what kernels read and write.
 *
 * @param storage the memory
 * @param offset first element, counted in elements
 * @param length number of elements
 */
public record Span(Storage storage, long offset, long length) {

  public Span {
    Objects.checkFromIndexSize(offset, length, storage.length());
    int block = storage.dtype().block();
    if (offset % block != 0 || length % block != 0) {
      throw new IllegalArgumentException(
          "a span of "
              + storage.dtype()
              + " must begin and end at blocks of "
              + block
              + " elements, got "
              + length
              + " from "
              + offset);
    }
  }

  /** The element type. */
  public DType dtype() {
    return storage.dtype();
  }

  /** Address of the first element; fails if the memory was closed. */
  public long address() {
    DType type = storage.dtype();
    return storage.address() + offset / type.block() * type.blockBytes();
  }

  /** This run as a segment of exactly its bytes. */
  public MemorySegment segment() {
    return storage.segment().asSlice(dtype().bytes(offset), bytes());
  }

  /** This run as a segment of exactly its bytes, for reading only. */
  public MemorySegment readOnly() {
    return storage.readOnly().asSlice(dtype().bytes(offset), bytes());
  }

  /** Size in bytes. */
  public long bytes() {
    return dtype().bytes(length);
  }

  /** Elements {@code [from, from + count)} of this run. */
  public Span slice(long from, long count) {
    Objects.checkFromIndexSize(from, count, length);
    return new Span(storage, offset + from, count);
  }

  /** {@code Σ this[i] other[i]}, in double, in order. Slow, as {@link #get}. */
  public double dot(Span other) {
    double sum = 0;
    for (long i = 0; i < other.length; i++) {
      sum += get(i) * other.get(i);
    }
    return sum;
  }

  /** Element {@code i} widened to double. Slow; for references, tests and scalars. */
  public double get(long i) {
    Objects.checkIndex(i, length);
    MemorySegment s = storage.reading();
    long at = offset + i;
    return switch (dtype()) {
      case F32 -> s.get(JAVA_FLOAT_UNALIGNED, at * 4);
      case F64 -> s.get(JAVA_DOUBLE_UNALIGNED, at * 8);
      case BF16 -> DType.fromBf16(s.get(JAVA_SHORT_UNALIGNED, at * 2));
      case F16 -> Float.float16ToFloat(s.get(JAVA_SHORT_UNALIGNED, at * 2));
      case I32 -> s.get(JAVA_INT_UNALIGNED, at * 4);
      default -> Blocks.value(dtype(), s, 0, at);
    };
  }

  /**
   * Sets element {@code i}, rounding to nearest even where the type is narrower. Elements of
   * quantised types cannot be set alone.
   */
  public void set(long i, double value) {
    Objects.checkIndex(i, length);
    MemorySegment s = storage.segment();
    long at = offset + i;
    switch (dtype()) {
      case F32 -> s.set(JAVA_FLOAT_UNALIGNED, at * 4, (float) value);
      case F64 -> s.set(JAVA_DOUBLE_UNALIGNED, at * 8, value);
      case BF16 -> s.set(JAVA_SHORT_UNALIGNED, at * 2, DType.toBf16((float) value));
      case F16 -> s.set(JAVA_SHORT_UNALIGNED, at * 2, Float.floatToFloat16((float) value));
      case I32 -> s.set(JAVA_INT_UNALIGNED, at * 4, (int) value);
      default ->
          throw new IllegalArgumentException(
              "an element of " + dtype() + " cannot be set without its block");
    }
  }

  /** Element {@code i} of an I32 run. */
  public int getInt(long i) {
    Objects.checkIndex(i, length);
    return storage.reading().get(JAVA_INT_UNALIGNED, (offset + i) * 4);
  }

  /** Adds {@code value} to element {@code i}. */
  public void add(long i, double value) {
    set(i, get(i) + value);
  }
}
