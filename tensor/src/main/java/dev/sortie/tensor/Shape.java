package dev.sortie.tensor;

import java.util.Arrays;

/** Sizes of a tensor's dims, outermost first. A scalar has no dims and one element. */
public final class Shape {
  private final long[] dims;
  private final long count;

  private Shape(long[] dims) {
    long n = 1;
    for (long d : dims) {
      if (d < 0) {
        throw new IllegalArgumentException("negative size in shape " + Arrays.toString(dims));
      }
      n = Math.multiplyExact(n, d);
    }
    this.dims = dims;
    this.count = n;
  }

  /** A shape of these sizes. */
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /** Number of dims. */
  public int rank() {
    return dims.length;
  }

  /** Size of dim {@code i}; negative counts from the end. */
  public long dim(int i) {
    return dims[i < 0 ? dims.length + i : i];
  }

  /** Size of dim {@code i} as an int; negative counts from the end. */
  public int size(int i) {
    return Math.toIntExact(dim(i));
  }

  /** The sizes, a copy. */
  public long[] dims() {
    return dims.clone();
  }

  /** Number of elements. */
  public long count() {
    return count;
  }

  /** Product of all sizes but the last: how many rows a row-wise op sees. */
  public int rows() {
    long rows = 1;
    for (int i = 0; i < dims.length - 1; i++) {
      rows = Math.multiplyExact(rows, dims[i]);
    }
    return Math.toIntExact(rows);
  }

  /** This shape with another last size. */
  public Shape withLast(long size) {
    long[] d = dims.clone();
    d[d.length - 1] = size;
    return new Shape(d);
  }

  /** This shape without its last dim. */
  public Shape dropLast() {
    return new Shape(Arrays.copyOf(dims, dims.length - 1));
  }

  /**
   * The shape that both broadcast to: aligned at the end, sizes equal or one of them 1.
   *
   * @throws IllegalArgumentException if they do not match, naming both
   */
  public static Shape broadcast(Shape a, Shape b) {
    int rank = Math.max(a.rank(), b.rank());
    long[] d = new long[rank];
    for (int i = 0; i < rank; i++) {
      int ia = i - (rank - a.rank());
      int ib = i - (rank - b.rank());
      long da = ia < 0 ? 1 : a.dims[ia];
      long db = ib < 0 ? 1 : b.dims[ib];
      if (da != db && da != 1 && db != 1) {
        throw new IllegalArgumentException("shapes " + a + " and " + b + " do not broadcast");
      }
      d[i] = da == 1 ? db : da;
    }
    return new Shape(d);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
