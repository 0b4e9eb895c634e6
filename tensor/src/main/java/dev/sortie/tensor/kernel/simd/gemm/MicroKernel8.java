package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The micro-kernel for machines with 32 vector registers (AVX-512, NEON, SVE): 16 sums, 2 loads of
 * B, 1 broadcast of A. It computes a tile of 8 rows by two vectors from packed panels, each sum in
 * ascending k with fma.
 *
 * <p>Sums are locals, for C2 keeps no array of vectors in registers. The loop ends by {@code !=},
 * for that is no counted loop to C2, which would unroll it, hoist loads and spill.
 *
 * <p>Panels are arrays, and what is added to C goes through {@link MicroTile}, so that this method
 * is small to C2. Each access to a memory segment parses some hundred nodes more, how many depends
 * on what ran before in the JVM. With panels in segments and a flag to add, which took its second
 * value late, C2 passed its limit of nodes, stopped inlining and made an object of each sum: a
 * training run on half a core of Zen 4 made 350 tokens/s, this one 2000.
 */
final class MicroKernel8 {
  static final int ROWS = 8;

  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LANES = F.length();
  private static final long VECTOR = 4L * LANES;

  private MicroKernel8() {}

  /**
   * {@code c = a · b}.
   *
   * @param kc length of the sums
   * @param a holds a panel {@code [kc, 8]} from {@code ai} on
   * @param b holds a panel {@code [kc, 2 * lanes]} from {@code bi} on
   * @param c address of the tile's first element
   * @param ldc bytes from one row of c to the next
   */
  static void run(int kc, float[] a, int ai, float[] b, int bi, long c, long ldc) {
    FloatVector p0 = FloatVector.zero(F);
    FloatVector q0 = FloatVector.zero(F);
    FloatVector p1 = FloatVector.zero(F);
    FloatVector q1 = FloatVector.zero(F);
    FloatVector p2 = FloatVector.zero(F);
    FloatVector q2 = FloatVector.zero(F);
    FloatVector p3 = FloatVector.zero(F);
    FloatVector q3 = FloatVector.zero(F);
    FloatVector p4 = FloatVector.zero(F);
    FloatVector q4 = FloatVector.zero(F);
    FloatVector p5 = FloatVector.zero(F);
    FloatVector q5 = FloatVector.zero(F);
    FloatVector p6 = FloatVector.zero(F);
    FloatVector q6 = FloatVector.zero(F);
    FloatVector p7 = FloatVector.zero(F);
    FloatVector q7 = FloatVector.zero(F);
    int end = ai + ROWS * kc;
    int bk = bi;
    for (int ak = ai; ak != end; ak += ROWS) {
      FloatVector b0 = FloatVector.fromArray(F, b, bk);
      FloatVector b1 = FloatVector.fromArray(F, b, bk + LANES);
      bk += 2 * LANES;
      FloatVector x = FloatVector.broadcast(F, a[ak]);
      p0 = x.fma(b0, p0);
      q0 = x.fma(b1, q0);
      x = FloatVector.broadcast(F, a[ak + 1]);
      p1 = x.fma(b0, p1);
      q1 = x.fma(b1, q1);
      x = FloatVector.broadcast(F, a[ak + 2]);
      p2 = x.fma(b0, p2);
      q2 = x.fma(b1, q2);
      x = FloatVector.broadcast(F, a[ak + 3]);
      p3 = x.fma(b0, p3);
      q3 = x.fma(b1, q3);
      x = FloatVector.broadcast(F, a[ak + 4]);
      p4 = x.fma(b0, p4);
      q4 = x.fma(b1, q4);
      x = FloatVector.broadcast(F, a[ak + 5]);
      p5 = x.fma(b0, p5);
      q5 = x.fma(b1, q5);
      x = FloatVector.broadcast(F, a[ak + 6]);
      p6 = x.fma(b0, p6);
      q6 = x.fma(b1, q6);
      x = FloatVector.broadcast(F, a[ak + 7]);
      p7 = x.fma(b0, p7);
      q7 = x.fma(b1, q7);
    }
    p0.intoMemorySegment(MEMORY, c, ORDER);
    q0.intoMemorySegment(MEMORY, c + VECTOR, ORDER);
    p1.intoMemorySegment(MEMORY, c + ldc, ORDER);
    q1.intoMemorySegment(MEMORY, c + ldc + VECTOR, ORDER);
    p2.intoMemorySegment(MEMORY, c + 2 * ldc, ORDER);
    q2.intoMemorySegment(MEMORY, c + 2 * ldc + VECTOR, ORDER);
    p3.intoMemorySegment(MEMORY, c + 3 * ldc, ORDER);
    q3.intoMemorySegment(MEMORY, c + 3 * ldc + VECTOR, ORDER);
    p4.intoMemorySegment(MEMORY, c + 4 * ldc, ORDER);
    q4.intoMemorySegment(MEMORY, c + 4 * ldc + VECTOR, ORDER);
    p5.intoMemorySegment(MEMORY, c + 5 * ldc, ORDER);
    q5.intoMemorySegment(MEMORY, c + 5 * ldc + VECTOR, ORDER);
    p6.intoMemorySegment(MEMORY, c + 6 * ldc, ORDER);
    q6.intoMemorySegment(MEMORY, c + 6 * ldc + VECTOR, ORDER);
    p7.intoMemorySegment(MEMORY, c + 7 * ldc, ORDER);
    q7.intoMemorySegment(MEMORY, c + 7 * ldc + VECTOR, ORDER);
  }

  /**
   * The same with the panel of B at address {@code b}: weights packed ahead lie in native memory.
   * Two more accesses to it are no burden to C2, see above; sixteen were.
   */
  static void packed(int kc, float[] a, int ai, long b, long c, long ldc) {
    FloatVector p0 = FloatVector.zero(F);
    FloatVector q0 = FloatVector.zero(F);
    FloatVector p1 = FloatVector.zero(F);
    FloatVector q1 = FloatVector.zero(F);
    FloatVector p2 = FloatVector.zero(F);
    FloatVector q2 = FloatVector.zero(F);
    FloatVector p3 = FloatVector.zero(F);
    FloatVector q3 = FloatVector.zero(F);
    FloatVector p4 = FloatVector.zero(F);
    FloatVector q4 = FloatVector.zero(F);
    FloatVector p5 = FloatVector.zero(F);
    FloatVector q5 = FloatVector.zero(F);
    FloatVector p6 = FloatVector.zero(F);
    FloatVector q6 = FloatVector.zero(F);
    FloatVector p7 = FloatVector.zero(F);
    FloatVector q7 = FloatVector.zero(F);
    int end = ai + ROWS * kc;
    long bk = b;
    for (int ak = ai; ak != end; ak += ROWS) {
      FloatVector b0 = FloatVector.fromMemorySegment(F, MEMORY, bk, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F, MEMORY, bk + VECTOR, ORDER);
      bk += 2 * VECTOR;
      FloatVector x = FloatVector.broadcast(F, a[ak]);
      p0 = x.fma(b0, p0);
      q0 = x.fma(b1, q0);
      x = FloatVector.broadcast(F, a[ak + 1]);
      p1 = x.fma(b0, p1);
      q1 = x.fma(b1, q1);
      x = FloatVector.broadcast(F, a[ak + 2]);
      p2 = x.fma(b0, p2);
      q2 = x.fma(b1, q2);
      x = FloatVector.broadcast(F, a[ak + 3]);
      p3 = x.fma(b0, p3);
      q3 = x.fma(b1, q3);
      x = FloatVector.broadcast(F, a[ak + 4]);
      p4 = x.fma(b0, p4);
      q4 = x.fma(b1, q4);
      x = FloatVector.broadcast(F, a[ak + 5]);
      p5 = x.fma(b0, p5);
      q5 = x.fma(b1, q5);
      x = FloatVector.broadcast(F, a[ak + 6]);
      p6 = x.fma(b0, p6);
      q6 = x.fma(b1, q6);
      x = FloatVector.broadcast(F, a[ak + 7]);
      p7 = x.fma(b0, p7);
      q7 = x.fma(b1, q7);
    }
    p0.intoMemorySegment(MEMORY, c, ORDER);
    q0.intoMemorySegment(MEMORY, c + VECTOR, ORDER);
    p1.intoMemorySegment(MEMORY, c + ldc, ORDER);
    q1.intoMemorySegment(MEMORY, c + ldc + VECTOR, ORDER);
    p2.intoMemorySegment(MEMORY, c + 2 * ldc, ORDER);
    q2.intoMemorySegment(MEMORY, c + 2 * ldc + VECTOR, ORDER);
    p3.intoMemorySegment(MEMORY, c + 3 * ldc, ORDER);
    q3.intoMemorySegment(MEMORY, c + 3 * ldc + VECTOR, ORDER);
    p4.intoMemorySegment(MEMORY, c + 4 * ldc, ORDER);
    q4.intoMemorySegment(MEMORY, c + 4 * ldc + VECTOR, ORDER);
    p5.intoMemorySegment(MEMORY, c + 5 * ldc, ORDER);
    q5.intoMemorySegment(MEMORY, c + 5 * ldc + VECTOR, ORDER);
    p6.intoMemorySegment(MEMORY, c + 6 * ldc, ORDER);
    q6.intoMemorySegment(MEMORY, c + 6 * ldc + VECTOR, ORDER);
    p7.intoMemorySegment(MEMORY, c + 7 * ldc, ORDER);
    q7.intoMemorySegment(MEMORY, c + 7 * ldc + VECTOR, ORDER);
  }
}
