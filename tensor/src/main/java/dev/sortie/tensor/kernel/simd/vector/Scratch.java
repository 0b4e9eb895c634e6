package dev.sortie.tensor.kernel.simd.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One block of temporary memory per thread, which grows to the largest size asked for and is kept.
 * Contents are left-overs.
 */
public final class Scratch {
  private static final long ALIGN = 64;

  private final ThreadLocal<MemorySegment> block = new ThreadLocal<>();

  /**
   * Address of at least {@code floats} floats, 64-byte aligned; valid until this thread asks again.
   */
  public long floats(long floats) {
    MemorySegment held = block.get();
    if (held == null || held.byteSize() < 4 * floats) {
      // more than was asked: attention asks for a little more with each token that is decoded, and
      // what is replaced stays until it is collected
      long grown = held == null ? 0 : held.byteSize() / 2 * 3;
      long size = Math.max(Math.multiplyExact(4, floats), grown);
      held = Arena.ofAuto().allocate(size, ALIGN);
      block.set(held);
    }
    return held.address();
  }

  /** {@code count} floats rounded up to whole cache lines. */
  static long padded(long count) {
    return (count + 15) / 16 * 16;
  }
}
