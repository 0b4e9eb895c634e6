package dev.sortie.tensor.kernel;

/**
 * Sizes of a rotary embedding over {@code [batch, tokens, heads, headSize]}. The first {@code
 * rotary} elements of each head are rotated, the rest copied. Half-rotation pairs element {@code j}
 * with {@code j + rotary / 2} (the Hugging Face layout); interleaved pairs {@code 2j} with {@code
 * 2j + 1}.
 *
 * @param batch sequences
 * @param tokens tokens per sequence; token {@code i} stands at position {@code first + i}
 * @param heads heads per token
 * @param headSize elements a head
 * @param rotary elements rotated, even, at most {@code headSize}
 * @param first position of the first token
 * @param interleaved which elements form a pair
 */
public record RopeShape(
    int batch, int tokens, int heads, int headSize, int rotary, int first, boolean interleaved) {

  public RopeShape {
    if (rotary % 2 != 0 || rotary < 2 || rotary > headSize) {
      throw new IllegalArgumentException(
          "rotary size " + rotary + " must be even and between 2 and the head size " + headSize);
    }
    if (first < 0) {
      throw new IllegalArgumentException("first position " + first + " is negative");
    }
  }

  /** Elements of x and y. */
  public long elements() {
    return (long) batch * tokens * heads * headSize;
  }

  /** Positions that cos and sin have at least. */
  public long positions() {
    return (long) first + tokens;
  }

  /** Elements that cos and sin hold at least. */
  public long angles() {
    return positions() * (rotary / 2);
  }
}
