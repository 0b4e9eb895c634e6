package dev.sortie.nn.text.budget;

import java.util.SplittableRandom;

/**
 * Keys for an open table in the place of those that a file gives, one for each. How such tables mix
 * their keys is known, so that a file could hold keys that all fall on one place, and each look-up
 * would search them all; with a number that is drawn for each table nobody knows which do.
 */
public final class SeededKeys {
  private final long seed = new SplittableRandom().nextLong();

  /** Keys of one table. */
  public SeededKeys() {}

  /** The key in the place of {@code key}. */
  public long of(long key) {
    return key ^ seed;
  }
}
