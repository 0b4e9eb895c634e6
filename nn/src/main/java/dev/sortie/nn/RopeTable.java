package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;

/**
 * Cosines and sines of rotary embedding (arXiv 2104.09864): the angle of pair {@code j} at position
 * {@code p} is {@code p} times its frequency. Computed in F64 by {@link StrictMath}: the same bits
 * everywhere.
 *
 * @param cos {@code [positions, rotary / 2]}
 * @param sin {@code [positions, rotary / 2]}
 */
public record RopeTable(Tensor cos, Tensor sin) {

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
    int pairs = rotary / 2;
    double[] frequencies = scaling.frequencies(theta, rotary);
    double magnitude = scaling.magnitude();
    Tensor cos = Tensor.allocate(allocator, dtype, Shape.of(positions, pairs));
    Tensor sin = Tensor.allocate(allocator, dtype, Shape.of(positions, pairs));
    var c = cos.span();
    var s = sin.span();
    for (int j = 0; j < pairs; j++) {
      for (int p = 0; p < positions; p++) {
        double angle = p * frequencies[j];
        c.set((long) p * pairs + j, magnitude * StrictMath.cos(angle));
        s.set((long) p * pairs + j, magnitude * StrictMath.sin(angle));
      }
    }
    return new RopeTable(cos, sin);
  }
}
