package dev.sortie.tensor.kernel.simd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One block of temporary memory a thread, which grows to the largest size asked for and is kept.
 * Contents are left-overs.
 */
final class Scratch {
  private static final long ALIGN = 64;

  private final ThreadLocal<MemorySegment> block = new ThreadLocal<>();

  /**
   * Address of at least {@code floats} floats, 64-byte aligned; valid until this thread asks again.
   */
  long floats(long floats) {
    MemorySegment held = block.get();
    if (held == null || held.byteSize() < 4 * floats) {
      held = Arena.ofAuto().allocate(Math.multiplyExact(4, floats), ALIGN);
      block.set(held);
    }
    return held.address();
  }

  /** {@code count} floats rounded up to whole cache lines. */
  static long padded(long count) {
    return (count + 15) / 16 * 16;
  }
}
