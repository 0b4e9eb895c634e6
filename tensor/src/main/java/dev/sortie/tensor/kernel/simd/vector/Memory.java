package dev.sortie.tensor.kernel.simd.vector;

import java.lang.foreign.MemorySegment;

/**
 * All native memory as one constant segment, addressed absolutely. A constant segment keeps every
 * access site monomorphic and lets C2 drop liveness and bounds checks; so kernels check span
 * lengths and scopes at their entry, before they touch memory.
 *
 * <p>Kernels load and store vectors with the methods of the JDK, at each place, not through a
 * helper of ours: past its limit of nodes C2 inlines only what the JDK forces, and a vector that
 * crosses a call is an object. Behind an inlined {@code exp} a helper made swigluBackward allocate
 * 30 bytes per element.
 */
public final class Memory {
  public static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /**
   * {@code address & ADDRESS} is the same address to us, and a number in {@code [0, 2^62)} to C2;
   * with an offset masked by {@link #OFFSET} the sum cannot leave the segment, so the bounds check
   * goes. Two weight rows by four rows of x, in cache: 65 GB/s, without 56.
   */
  public static final long ADDRESS = (1L << 62) - 1;

  /** See {@link #ADDRESS}. */
  public static final long OFFSET = (1L << 61) - 1;

  private Memory() {}
}
