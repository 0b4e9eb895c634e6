package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;

/**
 * Cosines and sines of rotary embedding (arXiv 2104.09864): the angle of pair {@code j} at position
 * {@code p} is {@code p} times its frequency. Computed in F64 by {@link StrictMath}: the same bits
 * everywhere. That takes long, 0.3 s for a context of 32K with heads of 256 elements and two
 * tables, so a position is computed when it or a later one is first asked for. Threads may share a
 * table.
 */
public final class RopeTable {
  /** Positions computed at a time. */
  private static final int STEP = 1024;

  private final double[] frequencies;
  private final double magnitude;
  private final Tensor cos;
  private final Tensor sin;

  /** Positions computed so far. */
  private volatile int computed;

  private RopeTable(double[] frequencies, double magnitude, Tensor cos, Tensor sin) {
    this.frequencies = frequencies;
    this.magnitude = magnitude;
    this.cos = cos;
    this.sin = sin;
  }

  /**
   * A table for positions {@code 0 .. positions - 1}.
   *
   * @param rotary elements of a head that are rotated, even
   * @param theta base of the frequencies
   */
  public static RopeTable of(
      Allocator allocator,
      DType dtype,
      int positions,
      int rotary,
      double theta,
      RopeScaling scaling) {
    Shape shape = Shape.of(positions, rotary / 2);
    return new RopeTable(
        scaling.frequencies(theta, rotary),
        scaling.magnitude(),
        Tensor.allocate(allocator, dtype, shape),
        Tensor.allocate(allocator, dtype, shape));
  }

  /**
   * The cosines {@code [positions, rotary / 2]}, of which at least the first {@code end} rows are
   * computed.
   */
  public Tensor cos(int end) {
    compute(end);
    return cos;
  }

  /** The sines, likewise. */
  public Tensor sin(int end) {
    compute(end);
    return sin;
  }

  private void compute(int end) {
    if (end > computed) {
      synchronized (this) {
        if (end > computed) {
          int positions = cos.shape().size(0);
          int last = (int) Math.min(positions, (end + STEP - 1L) / STEP * STEP);
          compute(computed, last);
          computed = last;
        }
      }
    }
  }

  private void compute(int from, int to) {
    int pairs = frequencies.length;
    Span c = cos.span();
    Span s = sin.span();
    for (int p = from; p < to; p++) {
      for (int j = 0; j < pairs; j++) {
        double angle = p * frequencies[j];
        c.set((long) p * pairs + j, magnitude * StrictMath.cos(angle));
        s.set((long) p * pairs + j, magnitude * StrictMath.sin(angle));
      }
    }
  }
}
