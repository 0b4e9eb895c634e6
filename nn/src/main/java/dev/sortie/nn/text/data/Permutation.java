package dev.sortie.nn.text.data;

/**
 * A shuffled order of {@code 0..size-1} that needs no memory: position to index is a pure function
 * of (key, position). A balanced Feistel network of six rounds, each hashed with the finaliser of
 * SplitMix64 (Steele et al. 2014), permutes the next power of four; a result outside the range goes
 * through again until it falls inside (cycle walking, Black and Rogaway 2002).
 *
 * @param size number of positions, from 1 to 2^62
 * @param key chooses the order
 */
public record Permutation(long size, long key) {
  private static final int ROUNDS = 6;
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  public Permutation {
    if (size < 1 || size > 1L << 62) {
      throw new IllegalArgumentException("size " + size + " is not from 1 to 2^62");
    }
  }

  /**
   * Number {@code i} of a run over all of {@code 0..size-1} in epochs, each in an order of its own.
   *
   * @param i counted from 0 over all epochs
   */
  public static long inEpochs(long size, long seed, long i) {
    return new Permutation(size, key(seed, i / size)).at(i % size);
  }

  /** The index at {@code position}. */
  long at(long position) {
    if (position < 0 || position >= size) {
      throw new IndexOutOfBoundsException("position " + position + " of " + size);
    }
    int half = Math.max(1, (65 - Long.numberOfLeadingZeros(size - 1)) / 2);
    long index = position;
    do {
      index = feistel(index, half);
    } while (index >= size);
    return index;
  }

  private long feistel(long value, int half) {
    long mask = (1L << half) - 1;
    long left = value >>> half;
    long right = value & mask;
    for (int round = 1; round <= ROUNDS; round++) {
      long next = left ^ mix(mix(key + round * GOLDEN_GAMMA) ^ right) & mask;
      left = right;
      right = next;
    }
    return left << half | right;
  }

  /** The output function of SplitMix64. */
  static long mix(long z) {
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }

  /** A key for one epoch of a seeded run. */
  static long key(long seed, long epoch) {
    return mix(mix(seed + GOLDEN_GAMMA) + epoch * GOLDEN_GAMMA);
  }
}
