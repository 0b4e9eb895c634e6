package dev.sortie.nn;

import dev.sortie.tensor.Shape;

/**
 * Some neighbours along one dim of a tensor.
 *
 * @param dim which
 * @param from the first of them
 * @param count how many
 */
public record Slice(int dim, long from, long count) {

  /** The shape of this part of a tensor of shape {@code whole}. */
  public Shape of(Shape whole) {
    if (dim < 0 || dim >= whole.rank() || from < 0 || count < 1 || from + count > whole.dim(dim)) {
      throw new IllegalArgumentException(
          "%d to %d of dim %d is outside %s".formatted(from, from + count, dim, whole));
    }
    long[] dims = whole.dims();
    dims[dim] = count;
    return Shape.of(dims);
  }
}
