package dev.sortie.tensor.kernel.tile;

import java.util.List;

/**
 * How levels of a weight lie in words of 16 bits, and how x is rounded to meet them.
 *
 * <p>A group of elements that share a scale takes {@code words} words. But in {@link #BYTES} and
 * {@link #SIXES}, word w holds elements w, w + words, w + 2 words …, lowest bits first. A kernel
 * multiplies whole words: modulo 2^16 {@code Σ n_s x_s = Σ (word >>> bits s) c_s} with the
 * coefficients {@code c_0 = x_0} and {@code c_s = x_s - 2^bits x_(s-1)}, so no level is ever cut
 * out of its word. Sums of a group are exact: x is rounded so coarsely that {@code Σ (n - centre)
 * x} fits into 16 bits.
 */
public enum TileForm {
  /**
   * Four levels of up to 3 bits a word, 4 bits apart. Five levels would save no word of a group.
   * Eight of 2 bits would: three bits per weight of Q2_K instead of five.
   */
  THREES(4, 4, 16, 4, 16),
  /** Four levels of 4 bits a word. */
  NIBBLES(4, 8, 32, 8, 32),
  /** Three levels of 5 bits a word. */
  FIVES(5, 11, 32, 16, 33),
  /**
   * Sixteen levels of 6 bits in six words. The first four words hold elements w, w + 4 and the low
   * four bits of w + 8. The last two hold elements w + 8, w + 10 and, two bits each, what is left
   * of elements w + 4 and w + 6. A part counts as a level of its own, whose x is 16 times that of
   * the element where its bits are the high ones.
   */
  SIXES(6, 6, 16, 32, 20),
  /**
   * Levels of 8 bits, a byte each, four of a weight row next to each other: sums with them would
   * not fit into 16 bits, so x is not rounded. A kernel turns levels to F32 where they lie, {@code
   * level 256^(i mod 4)} but for every fourth one, which it shifts to the lowest bits.
   */
  BYTES(8, 16, 32, 128, 32);

  private final int bits;
  private final int words;
  private final int group;
  private final int centre;
  private final int coefficients;

  TileForm(int bits, int words, int group, int centre, int coefficients) {
    this.bits = bits;
    this.words = words;
    this.group = group;
    this.centre = centre;
    this.coefficients = coefficients;
  }

  /**
   * Bits of a level.
   *
   * @param word of the group
   * @param shift its lowest bit there
   * @param bits how many
   * @param place its lowest bit in the level
   */
  public record Part(int word, int shift, int bits, int place) {
    /** The part of the level, from the value of the word. */
    public int of(int value) {
      return (value >>> shift & (1 << bits) - 1) << place;
    }
  }

  /** Bits from one level in a word to the next. */
  public int bits() {
    return bits;
  }

  /** Words per group. */
  public int words() {
    return words;
  }

  /** Elements a group. */
  public int group() {
    return group;
  }

  /** What is taken from each level, so that sums stay small. */
  public int centre() {
    return centre;
  }

  /** Whether x is rounded to integers. */
  public boolean rounds() {
    return this != BYTES;
  }

  /**
   * Where it is, the most that {@code Σ |x|} of a group comes to in steps before rounding; rounding
   * may add half a step an element.
   */
  public int bound() {
    return Short.MAX_VALUE / centre - group / 2;
  }

  /**
   * Where the level of element {@code e} of a group lies, but in {@link #BYTES}: in one part, or in
   * two.
   */
  public List<Part> parts(int e) {
    if (this != SIXES || e < 8) {
      int distance = this == SIXES ? 4 : words;
      return List.of(new Part(e % distance, bits * (e / distance), bits, 0));
    }
    if (e < 12) {
      return List.of(new Part(e - 8, 12, 4, 0), new Part(4 + e % 2, e < 10 ? 12 : 14, 2, 4));
    }
    return List.of(new Part(4 + e % 2, e < 14 ? 0 : bits, bits, 0));
  }

  /** Coefficients of a group of x: one for each part of a word. */
  public int coefficients() {
    return coefficients;
  }

  /** Bytes of a group of x: {@link QuantisedRow} says what lies there. */
  public int rowBytes() {
    return 4 * (coefficients() + 4);
  }
}
