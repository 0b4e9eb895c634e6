package dev.sortie.tensor.kernel;

/**
 * Which elements of a tensor dropout sets to 0. Nothing is stored: 16 random bits of each element
 * follow from its number, so the backward pass draws what the forward pass drew.
 *
 * <p>A number of {@link Philox} has the bits of four neighbours, the lowest those of the first.
 *
 * @param seed the run's seed
 * @param stream the stream of the place where elements are dropped
 * @param dropped probability of 0, in parts of {@link #PARTS}
 * @param first number of the tensor's first element
 */
public record DropoutMask(long seed, long stream, int dropped, long first) {
  /** The probability 1. */
  public static final int PARTS = 1 << 16;

  /** Elements that share a random number. */
  public static final int SHARED = 4;

  private static final int BITS = Long.SIZE / SHARED;

  public DropoutMask {
    if (dropped < 0 || dropped >= PARTS) {
      throw new IllegalArgumentException(
          "dropout of " + dropped + " in " + PARTS + "; take at least 0 and less than " + PARTS);
    }
  }

  /** What elements that stay are multiplied by, so that the mean stays: 1 / (1 - p). */
  public float kept() {
    return (float) ((double) PARTS / (PARTS - dropped));
  }

  /** What element {@code i} of the tensor is multiplied by: 0 or {@link #kept}. */
  public float factor(long i) {
    long number = first + i;
    long bits = Philox.bits(seed, stream, number / SHARED) >>> number % SHARED * BITS;
    return (bits & PARTS - 1) < dropped ? 0 : kept();
  }
}
