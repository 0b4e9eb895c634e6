package dev.sortie.tensor.kernel.simd.vector;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.memory.Span;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums in a fixed order: long ones in double and block by block, rows in four interleaved parts.
 */
public final class Sums {
  private static final VectorSpecies<Float> F = Width.F;
  private static final long LANES = F.length();
  private static final VectorSpecies<Double> D = VectorSpecies.of(double.class, F.vectorShape());

  /** As many floats as {@link #D} has doubles. */
  private static final VectorSpecies<Float> HALF =
      VectorSpecies.of(float.class, VectorShape.forBitSize(F.vectorBitSize() / 2));

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private Sums() {}

  /** Sum of a block. */
  public static double block(long x, long n) {
    long step = D.length();
    DoubleVector s0 = DoubleVector.zero(D);
    DoubleVector s1 = DoubleVector.zero(D);
    long i = 0;
    for (; i <= n - 2 * step; i += 2 * step) {
      s0 = widen(x + 4 * i).add(s0);
      s1 = widen(x + 4 * (i + step)).add(s1);
    }
    double sum = ordered(s0.add(s1));
    for (; i < n; i++) {
      sum += get(x + 4 * i);
    }
    return sum;
  }

  /** Sum of squares of a block. */
  public static double blockSquares(long x, long n) {
    long step = D.length();
    DoubleVector s0 = DoubleVector.zero(D);
    DoubleVector s1 = DoubleVector.zero(D);
    long i = 0;
    for (; i <= n - 2 * step; i += 2 * step) {
      DoubleVector a = widen(x + 4 * i);
      DoubleVector b = widen(x + 4 * (i + step));
      s0 = a.fma(a, s0);
      s1 = b.fma(b, s1);
    }
    double sum = ordered(s0.add(s1));
    for (; i < n; i++) {
      double a = get(x + 4 * i);
      sum = Math.fma(a, a, sum);
    }
    return sum;
  }

  private static DoubleVector widen(long address) {
    return (DoubleVector)
        FloatVector.fromMemorySegment(HALF, MEMORY, address, ORDER)
            .convertShape(VectorOperators.F2D, D, 0);
  }

  private static double ordered(DoubleVector v) {
    double sum = 0;
    for (double lane : v.toArray()) {
      sum += lane;
    }
    return sum;
  }

  /** {@code Σ x[i]} of one row. */
  public static float row(long x, long n) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = FloatVector.zero(F);
    FloatVector s2 = FloatVector.zero(F);
    FloatVector s3 = FloatVector.zero(F);
    long i = 0;
    for (; i <= n - 4 * LANES; i += 4 * LANES) {
      s0 = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).add(s0);
      s1 = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * (i + LANES), ORDER).add(s1);
      s2 = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * (i + 2 * LANES), ORDER).add(s2);
      s3 = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * (i + 3 * LANES), ORDER).add(s3);
    }
    for (; i <= n - LANES; i += LANES) {
      s0 = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).add(s0);
    }
    float sum = Lanes.sum(s0.add(s1).add(s2.add(s3)));
    for (; i < n; i++) {
      sum += get(x + 4 * i);
    }
    return sum;
  }

  /** {@code Σ x[i] y[i]} of one row. */
  public static float dot(long x, long y, long n) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = FloatVector.zero(F);
    FloatVector s2 = FloatVector.zero(F);
    FloatVector s3 = FloatVector.zero(F);
    long i = 0;
    for (; i <= n - 4 * LANES; i += 4 * LANES) {
      s0 =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
              .fma(FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER), s0);
      s1 =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * (i + LANES), ORDER)
              .fma(FloatVector.fromMemorySegment(F, MEMORY, y + 4 * (i + LANES), ORDER), s1);
      s2 =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * (i + 2 * LANES), ORDER)
              .fma(FloatVector.fromMemorySegment(F, MEMORY, y + 4 * (i + 2 * LANES), ORDER), s2);
      s3 =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * (i + 3 * LANES), ORDER)
              .fma(FloatVector.fromMemorySegment(F, MEMORY, y + 4 * (i + 3 * LANES), ORDER), s3);
    }
    for (; i <= n - LANES; i += LANES) {
      s0 =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
              .fma(FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER), s0);
    }
    float sum = Lanes.sum(s0.add(s1).add(s2.add(s3)));
    for (; i < n; i++) {
      sum = Math.fma(get(x + 4 * i), get(y + 4 * i), sum);
    }
    return sum;
  }

  /** {@code y[c] += x[0,c] + x[1,c] + …}, added one after the other. */
  public static void rows(WorkerPool pool, Span x, Span y, int rows, int cols) {
    long a = x.address();
    long b = y.address();
    Split.columns(pool, cols, rows, (from, to) -> rows(a, b, rows, cols, from, to));
  }

  /**
   * {@code y[c] += x[0,c] + x[1,c] + …}, added one after the other, for columns {@code [from, to)}.
   */
  public static void rows(long x, long y, long rows, long cols, long from, long to) {
    long c = from;
    for (; c <= to - 2 * LANES; c += 2 * LANES) {
      FloatVector s0 = FloatVector.fromMemorySegment(F, MEMORY, y + 4 * c, ORDER);
      FloatVector s1 = FloatVector.fromMemorySegment(F, MEMORY, y + 4 * (c + LANES), ORDER);
      long at = x + 4 * c;
      for (long r = 0; r < rows; r++) {
        s0 = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER).add(s0);
        s1 = FloatVector.fromMemorySegment(F, MEMORY, at + 4 * LANES, ORDER).add(s1);
        at += 4 * cols;
      }
      s0.intoMemorySegment(MEMORY, y + 4 * c, ORDER);
      s1.intoMemorySegment(MEMORY, y + 4 * (c + LANES), ORDER);
    }
    for (; c < to; c++) {
      float sum = get(y + 4 * c);
      for (long r = 0; r < rows; r++) {
        sum += get(x + 4 * (r * cols + c));
      }
      set(y + 4 * c, sum);
    }
  }
}
