package dev.sortie.benchmarks.compare;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Inputs of benchmarks. */
public final class Fill {
  private Fill() {}

  /**
   * Memory with values uniform in [-1, 1), the same for the same seed; no denormals, which would
   * slow some processors down. Quantised types get random blocks with finite scales.
   */
  public static Span random(Allocator allocator, DType dtype, long length, long seed) {
    Span span = allocator.allocate(dtype, length).span();
    SplittableRandom random = new SplittableRandom(seed);
    if (dtype.isQuantised()) {
      blocks(span.segment(), random);
      return span;
    }
    for (long i = 0; i < length; i++) {
      span.set(i, random.nextDouble(-1, 1));
    }
    return span;
  }

  /** Any two bytes below 0x3c are a half-precision number from 0 to 1, whatever the layout. */
  private static void blocks(MemorySegment bytes, SplittableRandom random) {
    for (long i = 0; i < bytes.byteSize(); i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(0x3c));
    }
  }
}
