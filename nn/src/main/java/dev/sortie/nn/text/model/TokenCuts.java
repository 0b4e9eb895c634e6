package dev.sortie.nn.text.model;

import it.unimi.dsi.fastutil.longs.Long2IntOpenHashMap;
import java.util.SplittableRandom;

/**
 * Finds where a token can be cut into two tokens, in time that grows with its length however long
 * it is: by fingerprints of its beginnings and ends (Karp and Rabin 1987), polynomials modulo the
 * prime 2⁶¹ - 1 at a random base. What has the fingerprint of a token is compared with it, so that
 * the result is exact.
 */
final class TokenCuts {
  private static final long PRIME = (1L << 61) - 1;
  private static final long LEAST_BASE = 1L << 32;

  /** Takes the two sides of a cut. */
  interface Sink {
    void cut(int left, int right);
  }

  private final Vocabulary vocabulary;
  private final long base;
  private final long inverse;
  private final Long2IntOpenHashMap ids;

  TokenCuts(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    ids = new Long2IntOpenHashMap(vocabulary.size());
    ids.defaultReturnValue(-1);
    SplittableRandom random = new SplittableRandom();
    long drawn = random.nextLong(LEAST_BASE, PRIME);
    while (!tellsApart(drawn)) {
      drawn = random.nextLong(LEAST_BASE, PRIME);
    }
    base = drawn;
    inverse = power(base, PRIME - 2);
  }

  /** Takes the fingerprints of all tokens at a base; false if two are equal, which is very rare. */
  private boolean tellsApart(long at) {
    ids.clear();
    for (int id = 0; id < vocabulary.size(); id++) {
      String token = vocabulary.token(id);
      if (token != null && ids.put(fingerprint(token, at), id) >= 0) {
        return false;
      }
    }
    return true;
  }

  /** Gives each way to cut {@code token} into two tokens, the shortest left side first. */
  void of(String token, Sink sink) {
    int length = token.length();
    long whole = fingerprint(token, base);
    long shift = power(base, length);
    long left = 0;
    for (int cut = 1; cut < length; cut++) {
      left = sum(product(left, base), token.charAt(cut - 1) + 1);
      shift = product(shift, inverse);
      int first = ids.get(left);
      if (first < 0) {
        continue;
      }
      int second = ids.get(sum(whole, PRIME - product(left, shift)));
      if (second >= 0 && joins(first, second, token, cut)) {
        sink.cut(first, second);
      }
    }
  }

  private boolean joins(int first, int second, String token, int cut) {
    String left = vocabulary.token(first);
    String right = vocabulary.token(second);
    return left.length() == cut
        && right.length() == token.length() - cut
        && token.startsWith(left)
        && token.endsWith(right);
  }

  private static long fingerprint(String text, long base) {
    long value = 0;
    for (int i = 0; i < text.length(); i++) {
      value = sum(product(value, base), text.charAt(i) + 1);
    }
    return value;
  }

  private static long power(long base, long exponent) {
    long result = 1;
    long square = base;
    for (long e = exponent; e > 0; e >>= 1) {
      result = (e & 1) == 1 ? product(result, square) : result;
      square = product(square, square);
    }
    return result;
  }

  private static long sum(long a, long b) {
    long sum = a + b;
    return sum >= PRIME ? sum - PRIME : sum;
  }

  private static long product(long a, long b) {
    long low = a * b;
    long high = Math.multiplyHigh(a, b);
    return sum(low & PRIME, low >>> 61 | high << 3);
  }
}
