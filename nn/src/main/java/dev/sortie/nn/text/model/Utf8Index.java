package dev.sortie.nn.text.model;

import dev.sortie.nn.format.Utf8Strings;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Finds tokens by their bytes, in an open table of ids. A file cannot hold tokens that all fall on
 * one place, for each table has a factor of its own. Made while the JVM starts: what a map of
 * strings needs, an object for each token and its entry, and their hash codes, takes several times
 * as long until it is compiled.
 */
final class Utf8Index implements TokenIndex {
  private static final int FREE = 0;

  private final Utf8Strings tokens;

  /** Ids plus one. */
  private final int[] table;

  private final long factor = new SplittableRandom().nextLong() | 1;
  private final int shift;

  /** Of no token yet, with room for all. */
  Utf8Index(Utf8Strings tokens) {
    this.tokens = tokens;
    int bits = Integer.SIZE - Integer.numberOfLeadingZeros(2 * tokens.size() + 1);
    table = new int[1 << bits];
    shift = Long.SIZE - bits;
  }

  /** Adds the token of {@code id}; returns the id of one that has the same bytes, or -1. */
  int add(int id) {
    byte[] bytes = tokens.bytes();
    int place = place(bytes, tokens.start(id), tokens.end(id));
    if (table[place] != FREE) {
      return table[place] - 1;
    }
    table[place] = id + 1;
    return -1;
  }

  @Override
  public int id(byte[] bytes, int start, int end) {
    return table[place(bytes, start, end)] - 1;
  }

  @Override
  public int id(String token) {
    byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
    int id = id(bytes, 0, bytes.length);
    return id < 0 || isExact(token, bytes) ? id : -1;
  }

  /** Whether the bytes are those of the text: half of a surrogate pair becomes a question mark. */
  private static boolean isExact(String text, byte[] bytes) {
    for (byte b : bytes) {
      if (b == '?') {
        return new String(bytes, StandardCharsets.UTF_8).equals(text);
      }
    }
    return true;
  }

  /** Where the token of these bytes is, or a free place for it. */
  private int place(byte[] bytes, int start, int end) {
    long hash = 0;
    for (int i = start; i < end; i++) {
      hash = (hash ^ (bytes[i] & 0xff | 0x100)) * factor;
    }
    int place = (int) (hash >>> shift);
    while (table[place] != FREE && !same(table[place] - 1, bytes, start, end)) {
      place = place + 1 & table.length - 1;
    }
    return place;
  }

  private boolean same(int id, byte[] bytes, int start, int end) {
    return Arrays.equals(tokens.bytes(), tokens.start(id), tokens.end(id), bytes, start, end);
  }
}
