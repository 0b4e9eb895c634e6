package dev.sortie.tensor.kernel;

import java.util.Arrays;

/**
 * How an n-dimensional view lies in memory: {@code element(i0, i1, …) = base[i0 * stride0 + i1 *
 * stride1 + …]}. A stride of 0 repeats (broadcasting).
 *
 * @param shape sizes
 * @param strides distance between neighbours, in elements
 */
public record Strided(long[] shape, long[] strides) {

  public Strided {
    if (shape.length != strides.length) {
      throw new IllegalArgumentException(
          "shape has " + shape.length + " dims, strides " + strides.length);
    }
    shape = shape.clone();
    strides = strides.clone();
  }

  /** The sizes, a copy. */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  /** The strides, a copy. */
  @Override
  public long[] strides() {
    return strides.clone();
  }

  /** Row-major strides of {@code shape}. */
  public static Strided contiguous(long... shape) {
    long[] strides = new long[shape.length];
    long next = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = next;
      next *= shape[i];
    }
    return new Strided(shape, strides);
  }

  /** Number of elements. */
  public long count() {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /** Whether elements lie row-major without gaps. Dims of size 1 may have any stride. */
  public boolean isContiguous() {
    long next = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      if (shape[i] != 1 && strides[i] != next) {
        return false;
      }
      next *= shape[i];
    }
    return true;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Strided s
        && Arrays.equals(shape, s.shape)
        && Arrays.equals(strides, s.strides);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(shape) + Arrays.hashCode(strides);
  }

  @Override
  public String toString() {
    return Arrays.toString(shape) + " strides " + Arrays.toString(strides);
  }
}
