package dev.sortie.tensor.kernel.simd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * The packed operands of one running product, twice, and a scratch of each thread. Grown on demand
 * and kept, so that a steady loop allocates nothing; freed with their owner, since kernel sets are
 * not closed.
 */
final class GemmBuffers {
  private static final long ALIGN = 64;
  private static final float[] NONE = {};

  private final float[][] a = {NONE, NONE};
  private final float[][] b = {NONE, NONE};
  private MemorySegment scratch = MemorySegment.NULL;
  private long scratchBytes;

  /** Makes room for {@code copies} of one packed A and one packed B, in floats. */
  void reservePanels(int copies, int aSize, int bSize) {
    for (int i = 0; i < copies; i++) {
      a[i] = grow(a[i], aSize);
      b[i] = grow(b[i], bSize);
    }
  }

  /** Makes room for a scratch of each thread. */
  void reserveScratch(int threads, long bytes) {
    scratchBytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (scratch.byteSize() < threads * scratchBytes) {
      scratch = Arena.ofAuto().allocate(threads * scratchBytes, ALIGN);
    }
  }

  float[] a(int copy) {
    return a[copy];
  }

  float[] b(int copy) {
    return b[copy];
  }

  /** Address of a thread's scratch. */
  long scratch(int thread) {
    return scratch.address() + thread * scratchBytes;
  }

  private static float[] grow(float[] old, int size) {
    return old.length >= size ? old : new float[size];
  }

  /**
   * Buffers that no product uses. A lock round whole products could deadlock with the lock of the
   * worker pool; this one is held for a moment only.
   */
  static final class Stock {
    private final ArrayDeque<GemmBuffers> free = new ArrayDeque<>();

    synchronized GemmBuffers take() {
      return free.isEmpty() ? new GemmBuffers() : free.pop();
    }

    synchronized void give(GemmBuffers buffers) {
      free.push(buffers);
    }
  }
}
