package dev.sortie.parallel.comm;

import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A run of elements in native memory: what a collective reads or writes. The memory must stay open,
 * and must not be touched by others, until the call has ended.
 *
 * @param type of the elements
 * @param memory native, little-endian, a whole number of elements
 */
public record Elements(ElementType type, MemorySegment memory) {

  public Elements {
    Objects.requireNonNull(type, "type");
    if (!memory.isNative() || memory.byteSize() % type.bytes() != 0) {
      throw new IllegalArgumentException(
          "a run of "
              + type
              + " needs native memory of a multiple of "
              + type.bytes()
              + " bytes, got "
              + (memory.isNative() ? memory.byteSize() + " bytes" : "memory on the Java heap"));
    }
  }

  /** The elements of a span of the tensor engine. */
  public static Elements of(Span span) {
    ElementType type =
        switch (span.dtype()) {
          case F32 -> ElementType.F32;
          case BF16 -> ElementType.BF16;
          case I32 -> ElementType.I32;
          default ->
              throw new IllegalArgumentException(
                  "collectives take F32, BF16, I32 and I64, got " + span.dtype());
        };
    return new Elements(type, span.segment());
  }

  /** Number of elements. */
  public long count() {
    return memory.byteSize() / type.bytes();
  }

  /** Elements {@code [from, from + count)}. */
  public Elements slice(long from, long count) {
    Objects.checkFromIndexSize(from, count, count());
    return new Elements(type, memory.asSlice(from * type.bytes(), count * type.bytes()));
  }
}
