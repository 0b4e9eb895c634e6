package dev.sortie.parallel.comm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.MemorySegment;
import java.util.function.LongUnaryOperator;

/**
 * Numbers to check collectives with, which every rank can compute for every other one. {@link
 * #whole}: small integers, whose sums are exact in any order in all types (|x| ≤ 8, eight ranks: at
 * most 64, within BF16's 8 bits). {@link #rough}: fractions of many magnitudes, whose sums differ
 * with the order.
 */
public final class ExactNumbers {
  private ExactNumbers() {}

  private static long mix(long seed) {
    long z = seed * 0x9E3779B97F4A7C15L + 0x1234567;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** The integer of a rank at an index, from -8 to 8. */
  public static long whole(int rank, long index) {
    return Math.floorMod(mix(rank * 1_000_003L + index), 17) - 8;
  }

  /** The fraction of a rank at an index; magnitudes from 2^-10 to 2^10. */
  public static float rough(int rank, long index) {
    long bits = mix(rank * 7_777_777L + index);
    return Math.scalb(((int) bits) / 1e9f, (int) ((bits >>> 40) % 20) - 10);
  }

  /** Writes an element. */
  public static void set(ElementType type, MemorySegment memory, long index, long value) {
    switch (type) {
      case F32 -> memory.set(JAVA_FLOAT_UNALIGNED, 4 * index, value);
      case BF16 -> memory.set(JAVA_SHORT_UNALIGNED, 2 * index, DType.toBf16(value));
      case I32 -> memory.set(JAVA_INT_UNALIGNED, 4 * index, (int) value);
      case I64 -> memory.set(JAVA_LONG_UNALIGNED, 8 * index, value);
    }
  }

  /** Reads an element. */
  public static double get(ElementType type, MemorySegment memory, long index) {
    return switch (type) {
      case F32 -> memory.get(JAVA_FLOAT_UNALIGNED, 4 * index);
      case BF16 -> DType.fromBf16(memory.get(JAVA_SHORT_UNALIGNED, 2 * index));
      case I32 -> memory.get(JAVA_INT_UNALIGNED, 4 * index);
      case I64 -> memory.get(JAVA_LONG_UNALIGNED, 8 * index);
    };
  }

  /** Fills with a rank's integers from index {@code first} on. */
  public static void fill(Elements data, int rank, long first) {
    for (long i = 0; i < data.count(); i++) {
      set(data.type(), data.memory(), i, whole(rank, first + i));
    }
  }

  /** The sum over all ranks of the integers at an index. */
  public static long sum(int ranks, long index) {
    long sum = 0;
    for (int r = 0; r < ranks; r++) {
      sum += whole(r, index);
    }
    return sum;
  }

  /**
   * Fails unless every element equals the integer expected at its index.
   *
   * @throws AssertionError naming the first that differs, and both values
   */
  public static void expect(Elements data, LongUnaryOperator value) {
    for (long i = 0; i < data.count(); i++) {
      double got = get(data.type(), data.memory(), i);
      if (got != value.applyAsLong(i)) {
        throw new AssertionError(
            "element %d of %d %s is %s, expected %d"
                .formatted(i, data.count(), data.type(), got, value.applyAsLong(i)));
      }
    }
  }
}
