package dev.sortie.nn;

/**
 * Rows of a pass over several sequences that are the next tokens of one of them.
 *
 * @param cache keys and values of that sequence
 * @param first position of the first of them
 * @param count how many, one after the other
 */
public record CachedRows(KvCache cache, int first, int count) {
  /** Refuses positions that no sequence has. */
  public CachedRows {
    if (first < 0 || count < 1) {
      throw new IllegalArgumentException("rows at positions " + first + ", " + count + " of them");
    }
  }

  /** Positions up to the last of them. */
  public int end() {
    return first + count;
  }
}
