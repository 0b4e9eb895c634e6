package dev.sortie.eetuning.decode.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A set of characters as bytes of UTF-8: sequences of ranges of bytes, so that each character of
 * the set has its bytes in the ranges of one sequence, and no other bytes do.
 */
final class Utf8Ranges {
  /** Where characters get another number of bytes, or are none. */
  private static final int[] BORDERS = {0, 0x80, 0x800, 0xD800, 0xE000, 0x10000, 0x110000};

  private static final int SURROGATES = 3;

  private final List<List<Bytes>> sequences = new ArrayList<>();

  private Utf8Ranges() {}

  /** Bytes from the one to the other, 0 to 255. */
  record Bytes(int first, int last) {}

  /** The sequences of a set. */
  static List<List<Bytes>> of(CodePoints set) {
    Utf8Ranges all = new Utf8Ranges();
    for (CodePoints.Range r : set.ranges()) {
      for (int i = 0; i + 1 < BORDERS.length; i++) {
        int first = Math.max(r.first(), BORDERS[i]);
        int last = Math.min(r.last(), BORDERS[i + 1] - 1);
        if (first <= last && i != SURROGATES) {
          all.add(first, last);
        }
      }
    }
    return all.sequences;
  }

  /**
   * Characters of equally many bytes. Where the two differ in a byte that is not the last one, the
   * bytes after it must run through all that they can be: what does not is cut off.
   */
  private void add(int first, int last) {
    int bytes = bytes(first).length;
    for (int i = 1; i < bytes; i++) {
      int behind = (1 << 6 * i) - 1;
      if ((first & ~behind) != (last & ~behind)) {
        if ((first & behind) != 0) {
          add(first, first | behind);
          add((first | behind) + 1, last);
          return;
        }
        if ((last & behind) != behind) {
          add(first, (last & ~behind) - 1);
          add(last & ~behind, last);
          return;
        }
      }
    }
    byte[] from = bytes(first);
    byte[] to = bytes(last);
    List<Bytes> sequence = new ArrayList<>();
    for (int i = 0; i < bytes; i++) {
      sequence.add(new Bytes(from[i] & 0xFF, to[i] & 0xFF));
    }
    sequences.add(sequence);
  }

  private static byte[] bytes(int codePoint) {
    return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
  }
}
