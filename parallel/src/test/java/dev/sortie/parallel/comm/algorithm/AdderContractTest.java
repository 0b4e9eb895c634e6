package dev.sortie.parallel.comm.algorithm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.parallel.comm.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** What sums cost in addition to time. */
class AdderContractTest {
  private static final long BYTES = 256 << 10;
  private static final int CALLS = 4000;

  /** Each call once kept objects for each of its blocks: 64,000 here, some 10 MB. */
  @Test
  void sumsLeaveNothingOnTheHeap() {
    try (Adder adder = new Adder();
        Arena arena = Arena.ofConfined()) {
      MemorySegment[] inputs = {arena.allocate(BYTES, 64), arena.allocate(BYTES, 64)};
      adder.sum(ElementType.F32, inputs, inputs[0]);
      long before = usedHeap();
      for (int i = 0; i < CALLS; i++) {
        adder.sum(ElementType.F32, inputs, inputs[0]);
      }
      assertThat(usedHeap() - before).isLessThan(2L << 20);
    }
  }

  /** The least of several: threads of other tests may still end, and allocate meanwhile. */
  private static long usedHeap() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      System.gc();
      least =
          Math.min(least, Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
    }
    return least;
  }
}
