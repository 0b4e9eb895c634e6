package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.kernel.AttentionShape;

/**
 * The query rows {@code [first, last)} of one sequence that read one kv head, numbered query by
 * query and in each by head, so that visible keys never shrink from one row to the next.
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

  /** Keys that row {@code r} sees. */
  int visible(int r) {
    return shape.visible(query(r));
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
   * Stores how many keys rows {@code [r, r + rows)} see, as floats; the last one's where missing.
   */
  void storeVisible(int r, int rows, long to) {
    for (int i = 0; i < rows; i++) {
      Lanes.set(to + 4L * i, visible(Math.min(r + i, count() - 1)));
    }
  }
}
