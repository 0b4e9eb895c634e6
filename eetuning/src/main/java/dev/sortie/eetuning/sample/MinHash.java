package dev.sortie.eetuning.sample;

import java.util.Arrays;
import java.util.List;

/**
 * A short signature of a text's set of shingles, which are {@value #SHINGLE} words in a row. For
 * each of {@value #HASHES} hash functions it has the least hash of a shingle. Two sets have the
 * same least hash with a probability that is their Jaccard similarity J, the size of what they
 * share over the size of both together (Broder 1997). So the share of equal places estimates J,
 * with a standard deviation of {@code sqrt(J(1-J)/128)}, 0.044 at most.
 */
final class MinHash {
  /** Words of a shingle. */
  static final int SHINGLE = 3;

  /** Hash functions. */
  static final int HASHES = 128;

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private MinHash() {}

  /**
   * The signature of a text.
   *
   * @param words of the text; fewer than a shingle make one shingle
   * @return {@code [HASHES]}
   */
  static int[] of(List<String> words) {
    int[] least = new int[HASHES];
    Arrays.fill(least, Integer.MAX_VALUE);
    int last = Math.max(0, words.size() - SHINGLE);
    for (int i = 0; i <= last; i++) {
      long shingle = hash(words.subList(i, Math.min(words.size(), i + SHINGLE)));
      for (int k = 0; k < HASHES; k++) {
        least[k] = Math.min(least[k], (int) (mix(shingle + (k + 1) * GOLDEN) >>> 33));
      }
    }
    return least;
  }

  /** The estimate of J: the share of places at which signatures are equal. */
  static double similarity(int[] a, int[] b) {
    int equal = 0;
    for (int k = 0; k < HASHES; k++) {
      equal += a[k] == b[k] ? 1 : 0;
    }
    return equal / (double) HASHES;
  }

  /** FNV-1a over the words' UTF-16 units, a unit that no word has after each. */
  private static long hash(List<String> words) {
    long h = 0xcbf29ce484222325L;
    for (String word : words) {
      for (int i = 0; i < word.length(); i++) {
        h = (h ^ word.charAt(i)) * 0x100000001b3L;
      }
      h = (h ^ ' ') * 0x100000001b3L;
    }
    return h;
  }

  /** The finaliser of SplitMix64: each bit of the result depends on all bits. */
  static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
