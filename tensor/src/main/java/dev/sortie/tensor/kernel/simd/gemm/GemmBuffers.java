package dev.sortie.tensor.kernel.simd.gemm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * The packed left operand and a scratch of each thread of one running product. Grown on demand and
 * kept, so that a steady loop allocates nothing; freed with their owner, since kernel sets are not
 * closed.
 */
public final class GemmBuffers {
  private static final long ALIGN = 64;

  private float[][] a = {};
  private MemorySegment scratch = MemorySegment.NULL;
  private long scratchBytes;

  /**
   * Makes room for each thread.
   *
   * @param aSize floats of the packed A
   * @param bytes of scratch
   */
  void reserve(int threads, int aSize, long bytes) {
    a = grow(a, threads, aSize);
    reserveScratch(threads, bytes);
  }

  /** Makes room for a scratch of each thread. */
  public void reserveScratch(int threads, long bytes) {
    scratchBytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (scratch.byteSize() < threads * scratchBytes) {
      scratch = Arena.ofAuto().allocate(threads * scratchBytes, ALIGN);
    }
  }

  /** The packed A of a thread. */
  float[] a(int thread) {
    return a[thread];
  }

  /** Address of a thread's scratch. */
  public long scratch(int thread) {
    return scratch.address() + thread * scratchBytes;
  }

  private static float[][] grow(float[][] old, int threads, int size) {
    float[][] all = old.length >= threads ? old : Arrays.copyOf(old, threads);
    for (int i = 0; i < threads; i++) {
      if (all[i] == null || all[i].length < size) {
        all[i] = new float[size];
      }
    }
    return all;
  }

  /**
   * Buffers that no product uses. A lock round whole products could deadlock with the lock of the
   * worker pool; this one is held for a moment only.
   */
  public static final class Stock {
    private final ArrayDeque<GemmBuffers> free = new ArrayDeque<>();

    public synchronized GemmBuffers take() {
      return free.isEmpty() ? new GemmBuffers() : free.pop();
    }

    public synchronized void give(GemmBuffers buffers) {
      free.push(buffers);
    }
  }
}
