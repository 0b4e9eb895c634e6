package dev.sortie.tensor.kernel.simd.attention;

import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Lanes;

/**
 * The query rows {@code [first, last)} of one sequence that read one kv head, numbered query by
 * query and in each by head, so that neither the first nor the last key that a row sees ever lies
 * before those of the row before it.
 */
record QueryRows(AttentionShape shape, int batch, int kvHead, int first, int last) {

  int count() {
    return (last - first) * shape.groupSize();
  }

  private int query(int r) {
    return first + r / shape.groupSize();
  }

  private int head(int r) {
    return kvHead * shape.groupSize() + r % shape.groupSize();
  }

  /** The first key behind those that row {@code r} sees. */
  int visible(int r) {
    return shape.visible(query(r));
  }

  /** The first key that row {@code r} sees. */
  int firstKey(int r) {
    return shape.first(query(r));
  }

  /** How many of the rows from {@code r} on, at most {@code most}, may be taken as one tile. */
  int tile(int r, int most) {
    int left = Math.min(most, count() - r);
    // within a window each query has a first key of its own
    return shape.windowed() ? Math.min(left, shape.groupSize() - r % shape.groupSize()) : left;
  }

  /** First element of row {@code r} in q, out and their gradients. */
  long element(int r) {
    long token = (long) batch * shape.queries() + query(r);
    return (token * shape.heads() + head(r)) * shape.headSize();
  }

  /** Place of row {@code r} in the log-sum-exps. */
  long lse(int r) {
    return ((long) batch * shape.heads() + head(r)) * shape.queries() + query(r);
  }

  /** Copies rows {@code [r, r + rows)} of {@code x} into a tile; what is missing becomes 0. */
  void load(long x, int r, int rows, long tile, int size) {
    int d = shape.headSize();
    for (int i = 0; i < rows; i++) {
      long to = tile + 4L * i * size;
      if (r + i < count()) {
        Conversions.copyBytes(x + 4 * element(r + i), to, 4L * d);
        Elementwise.fill(to + 4L * d, size - d, 0f);
      } else {
        Elementwise.fill(to, size, 0f);
      }
    }
  }

  /**
   * Stores {@link #visible} of rows {@code [r, r + rows)} as floats, and after it {@link
   * #firstKey}; the last one's where missing.
   */
  void storeVisible(int r, int rows, long to) {
    for (int i = 0; i < rows; i++) {
      int row = Math.min(r + i, count() - 1);
      Lanes.set(to + 4L * i, visible(row));
      Lanes.set(to + 4L * (rows + i), firstKey(row));
    }
  }
}
