package dev.sortie.tensor.kernel.tile;

/**
 * How levels of a weight lie in words of 16 bits, and how x is rounded to meet them.
 *
 * <p>A group of elements that share a scale takes {@code words} words. But in {@link #BYTES}, word
 * w holds elements w, w + words, w + 2 words …, lowest bits first. A kernel multiplies whole words:
 * modulo 2^16 {@code Σ n_s x_s = Σ (word >>> bits s) c_s} with the coefficients {@code c_0 = x_0}
 * and {@code c_s = x_s - 2^bits x_(s-1)}, so no level is ever cut out of its word. Sums of a group
 * are exact: x is rounded so coarsely that {@code Σ (n - centre) x} fits into 16 bits.
 */
public enum TileForm {
  /**
   * Four levels of up to 3 bits a word, 4 bits apart. Five levels would save no word of a group.
   * Eight of 2 bits would: three bits per weight of Q2_K instead of five.
   */
  THREES(4, 4, 16, 4),
  /** Four levels of 4 bits a word. */
  NIBBLES(4, 8, 32, 8),
  /** Three levels of 5 bits a word. */
  FIVES(5, 11, 32, 16),
  /** Two levels of 6 bits a word, 8 bits apart. */
  SIXES(8, 8, 16, 32),
  /**
   * Levels of 8 bits, a byte each, four of a weight row next to each other: sums with them would
   * not fit into 16 bits, so x is not rounded. A kernel turns levels to F32 where they lie, {@code
   * level 256^(i mod 4)} but for every fourth one, which it shifts to the lowest bits.
   */
  BYTES(8, 16, 32, 128);

  private final int bits;
  private final int words;
  private final int group;
  private final int centre;

  TileForm(int bits, int words, int group, int centre) {
    this.bits = bits;
    this.words = words;
    this.group = group;
    this.centre = centre;
  }

  /** Bits from one level in a word to the next. */
  public int bits() {
    return bits;
  }

  /** Words per group. */
  public int words() {
    return words;
  }

  /** Levels a word. */
  public int slots() {
    return 16 / bits;
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

  /** Coefficients of a group of x. */
  public int coefficients() {
    return words * slots();
  }

  /** Bytes of a group of x: {@link QuantisedRow} says what lies there. */
  public int rowBytes() {
    return 4 * (coefficients() + 4);
  }
}
