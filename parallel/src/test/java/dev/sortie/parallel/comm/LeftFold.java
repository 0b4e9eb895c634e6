package dev.sortie.parallel.comm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.zip.CRC32C;

/** Sums of fractions whose bits show in which order they were added. */
final class LeftFold {
  private LeftFold() {}

  /**
   * All-reduce and reduce-scatter give {@code ((x₀ + x₁) + x₂) + …}.
   *
   * @param shared whether the data lies in memory that the communicator gave
   */
  static void check(Communicator c, ElementType type, long count, boolean shared) {
    int p = c.size();
    try (Arena arena = Arena.ofConfined()) {
      Elements x = rough(c, type, count, shared, arena);
      c.allReduce(x);
      expect(x, p, 0, "all-reduce");
      Elements all = rough(c, type, count * p, shared, arena);
      Elements mine = new Elements(type, arena.allocate(count * type.bytes(), 8));
      c.reduceScatter(all, mine);
      expect(mine, p, c.position() * count, "reduce-scatter");
    }
  }

  /** An all-reduce in any order has the same bits on all members. */
  static void sameEverywhere(Communicator c, long count) {
    try (Arena arena = Arena.ofConfined()) {
      Elements x = rough(c, ElementType.F32, count, false, arena);
      c.run(new Collective.AllReduce(x, Order.ANY));
      Elements all = new Elements(ElementType.F32, arena.allocate(4 * count * c.size(), 8));
      c.allGather(x, all);
      for (int r = 0; r < c.size(); r++) {
        long differs = all.slice(r * count, count).memory().mismatch(x.memory());
        if (differs >= 0) {
          throw new AssertionError(
              "byte %d of %d differs between positions %d and %d"
                  .formatted(differs, 4 * count, c.position(), r));
        }
      }
    }
  }

  /** A number for the bits of sums of many lengths, the same over all transports. */
  static String digest(Communicator c) {
    CRC32C digest = new CRC32C();
    try (Arena arena = Arena.ofConfined()) {
      for (ElementType type : List.of(ElementType.F32, ElementType.BF16)) {
        for (long count : new long[] {1, 1001, 60_001}) {
          Elements x = rough(c, type, count, false, arena);
          c.allReduce(x);
          digest.update(x.memory().asByteBuffer());
          Elements all = rough(c, type, count * c.size(), false, arena);
          Elements mine = new Elements(type, arena.allocate(count * type.bytes(), 8));
          c.reduceScatter(all, mine);
          c.allGather(mine, all);
          digest.update(all.memory().asByteBuffer());
        }
      }
    }
    return Long.toHexString(digest.getValue());
  }

  private static Elements rough(
      Communicator c, ElementType type, long count, boolean shared, Arena arena) {
    long bytes = count * type.bytes();
    MemorySegment memory = shared ? c.allocate(bytes) : arena.allocate(bytes, 8);
    for (long i = 0; i < count; i++) {
      float value = ExactNumbers.rough(c.position(), i);
      if (type == ElementType.F32) {
        memory.set(JAVA_FLOAT_UNALIGNED, 4 * i, value);
      } else {
        memory.set(JAVA_SHORT_UNALIGNED, 2 * i, DType.toBf16(value));
      }
    }
    return new Elements(type, memory);
  }

  private static void expect(Elements got, int p, long first, String what) {
    for (long i = 0; i < got.count(); i++) {
      boolean same =
          got.type() == ElementType.F32
              ? Float.floatToRawIntBits(got.memory().get(JAVA_FLOAT_UNALIGNED, 4 * i))
                  == Float.floatToRawIntBits(fold(p, first + i, false))
              : got.memory().get(JAVA_SHORT_UNALIGNED, 2 * i)
                  == DType.toBf16(fold(p, first + i, true));
      if (!same) {
        throw new AssertionError(
            "%s of %d %s: element %d is not the left fold"
                .formatted(what, got.count(), got.type(), i));
      }
    }
  }

  private static float fold(int p, long i, boolean narrow) {
    float sum = addend(0, i, narrow);
    for (int r = 1; r < p; r++) {
      sum += addend(r, i, narrow);
    }
    return sum;
  }

  private static float addend(int rank, long i, boolean narrow) {
    float value = ExactNumbers.rough(rank, i);
    return narrow ? DType.fromBf16(DType.toBf16(value)) : value;
  }
}
