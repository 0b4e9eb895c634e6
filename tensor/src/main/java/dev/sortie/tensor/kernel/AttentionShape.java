package dev.sortie.tensor.kernel;

/**
 * Sizes of causal grouped-query attention. Layouts, all row-major: q, out {@code [batch, queries,
 * heads, headSize]}; k, v {@code [batch, keys, kvHeads, headSize]}; log-sum-exp {@code [batch,
 * heads, queries]}. Query {@code i} stands at position {@code keys - queries + i} and sees the keys
 * at positions up to its own, with a window only the last {@code window} of them. Query head {@code
 * h} reads kv head {@code h / (heads / kvHeads)}.
 *
 * @param batch sequences
 * @param queries queries per sequence
 * @param keys keys per sequence, at least {@code queries}
 * @param heads query heads
 * @param kvHeads key and value heads, a divisor of {@code heads}
 * @param headSize elements a head
 * @param scale factor on the scores, usually {@code 1 / sqrt(headSize)}
 * @param window most keys that a query sees, its own among them; {@link #FULL} for all
 * @param early positions below this one have the bits of {@link Kernels#ROW_STABLE} and fewer
 *     queries, however many queries there are; usually 0
 */
public record AttentionShape(
    int batch,
    int queries,
    int keys,
    int heads,
    int kvHeads,
    int headSize,
    double scale,
    int window,
    int early) {
  /** No window. */
  public static final int FULL = Integer.MAX_VALUE;

  public AttentionShape {
    if (window < 1) {
      throw new IllegalArgumentException("attention window " + window + " is not positive");
    }
    if (batch < 1 || queries < 1 || keys < queries || heads < 1 || kvHeads < 1 || headSize < 1) {
      throw new IllegalArgumentException(
          "attention sizes out of range: batch "
              + batch
              + ", queries "
              + queries
              + ", keys "
              + keys
              + ", heads "
              + heads
              + ", kv heads "
              + kvHeads
              + ", head size "
              + headSize);
    }
    if (heads % kvHeads != 0) {
      throw new IllegalArgumentException("kv heads " + kvHeads + " must divide heads " + heads);
    }
  }

  /** Sizes with {@link #early} 0. */
  public AttentionShape(
      int batch,
      int queries,
      int keys,
      int heads,
      int kvHeads,
      int headSize,
      double scale,
      int window) {
    this(batch, queries, keys, heads, kvHeads, headSize, scale, window, 0);
  }

  /** Sizes without a window. */
  public AttentionShape(
      int batch, int queries, int keys, int heads, int kvHeads, int headSize, double scale) {
    this(batch, queries, keys, heads, kvHeads, headSize, scale, FULL);
  }

  /** These sizes with another {@link #early}. */
  public AttentionShape withEarly(int positions) {
    return new AttentionShape(
        batch, queries, keys, heads, kvHeads, headSize, scale, window, positions);
  }

  /** How many of the queries have the bits of few: the first ones, or all where there are few. */
  public int few() {
    return queries <= Kernels.ROW_STABLE
        ? queries
        : Math.clamp((long) early - (keys - queries), 0, queries);
  }

  /** Query heads that share one kv head. */
  public int groupSize() {
    return heads / kvHeads;
  }

  /** Elements of q and out. */
  public long queryElements() {
    return rows() * headSize;
  }

  /** Elements of k and v. */
  public long keyElements() {
    return (long) batch * keys * kvHeads * headSize;
  }

  /** Rows of scores: elements of the log-sum-exp. */
  public long rows() {
    return (long) batch * heads * queries;
  }

  /** The first key behind those that query {@code i} sees. */
  public int visible(int i) {
    return keys - queries + i + 1;
  }

  /** The first key that query {@code i} sees. */
  public int first(int i) {
    return Math.max(0, visible(i) - window);
  }

  /** Whether the window hides a key from some query. */
  public boolean windowed() {
    return keys > window;
  }
}
