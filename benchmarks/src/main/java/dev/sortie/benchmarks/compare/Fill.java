package dev.sortie.benchmarks.compare;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.SplittableRandom;

/** Inputs of benchmarks. */
public final class Fill {
  private Fill() {}

  /**
   * Memory with values uniform in [-1, 1), the same for the same seed; no denormals, which would
   * slow some processors down.
   */
  public static Span random(Allocator allocator, DType dtype, long length, long seed) {
    Span span = allocator.allocate(dtype, length).span();
    SplittableRandom random = new SplittableRandom(seed);
    for (long i = 0; i < length; i++) {
      span.set(i, random.nextDouble(-1, 1));
    }
    return span;
  }
}
