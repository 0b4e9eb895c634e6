package dev.sortie.tensor.kernel.tile;

/**
 * How a row of x is rounded, group by group, for the products with {@link TiledWeight}s. A group
 * takes {@link TileForm#rowBytes} bytes: the coefficients of {@link TileForm} in the order of the
 * elements, each twice as a pair of shorts; then, 4 bytes each,
 *
 * <ul>
 *   <li>the pair {@code -centre X}, where {@code X = Σ x} of the rounded x: where the sums of a
 *       kernel start;
 *   <li>the step as F32, times {@link #SCALE};
 *   <li>{@code centre X} as I32, which makes of a sum with {@code level - centre} one with the
 *       level;
 *   <li>{@code X} times the scaled step, as F32.
 * </ul>
 *
 * <p>In {@link TileForm#BYTES} the coefficients are x as F32, times {@link #SCALE} and {@link
 * #place}; after them is {@code -centre X} of x times {@link #SCALE}, as F32.
 *
 * <p>The step is {@code Σ |x| / bound} of the group, see {@link TileForm#bound}: for 4-bit levels
 * an average x is 127 steps. A group whose sum is below {@link #SMALLEST} is zero. Where x is not
 * finite, or overflows the sum, the step is not finite either, and so is each product.
 */
public final class QuantisedRow {
  /**
   * Scales are kept away from both ends of F32: an F16 d is read as d 2^-112, by a shift of its
   * bits, x has steps of 2^56, and what is left is multiplied at the end.
   */
  public static final float SCALE = 0x1p56f;

  /** See {@link #SCALE}. */
  public static final float UNSCALE = 0x1p56f;

  /** The least {@code Σ |x|} of a group that is not taken for zero. */
  public static final float SMALLEST = 0x1p-100f;

  /** Added to a float below 2^22, it leaves the nearest integer in the low bits. */
  public static final float MAGIC = 0x1.8p23f;

  /** The bits of {@link #MAGIC}. */
  public static final int MAGIC_BITS = 0x4b400000;

  private QuantisedRow() {}

  /** The step that makes a group of {@code form} with this {@code Σ |x|} fit. */
  public static float step(TileForm form, float sum) {
    return sum / form.bound();
  }

  /** Of {@link TileForm#BYTES}: what a group with this {@code Σ |x|} is multiplied by. */
  public static float scale(float sum) {
    return sum >= SMALLEST ? SCALE : 0;
  }

  /** Of {@link TileForm#BYTES}: where a kernel finds element {@code i} of four, too large by it. */
  public static float place(int i) {
    return switch (i % 4) {
      case 1 -> 0x1p-8f;
      case 2 -> 0x1p-16f;
      default -> 1;
    };
  }

  /** The factor that turns x to steps. */
  public static float inverse(TileForm form, float sum) {
    return sum >= SMALLEST ? form.bound() / sum : 0;
  }
}
