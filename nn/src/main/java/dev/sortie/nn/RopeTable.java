package dev.sortie.nn;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.Allocator;

/**
 * Cosines and sines of rotary embedding (arXiv 2104.09864): angle of pair {@code j} at position
 * {@code p} is {@code p * theta^(-2j / D)}. Computed in F64 by {@link StrictMath}: the same bits
 * everywhere.
 *
 * @param cos {@code [positions, D / 2]}
 * @param sin {@code [positions, D / 2]}
 */
public record RopeTable(Tensor cos, Tensor sin) {

  /** A table for positions {@code 0 .. positions - 1}. */
  public static RopeTable of(
      Allocator allocator, DType dtype, int positions, int headSize, double theta) {
    int pairs = headSize / 2;
    Tensor cos = Tensor.allocate(allocator, dtype, Shape.of(positions, pairs));
    Tensor sin = Tensor.allocate(allocator, dtype, Shape.of(positions, pairs));
    var c = cos.span();
    var s = sin.span();
    for (int j = 0; j < pairs; j++) {
      double frequency = StrictMath.pow(theta, -2.0 * j / headSize);
      for (int p = 0; p < positions; p++) {
        c.set((long) p * pairs + j, StrictMath.cos(p * frequency));
        s.set((long) p * pairs + j, StrictMath.sin(p * frequency));
      }
    }
    return new RopeTable(cos, sin);
  }
}
