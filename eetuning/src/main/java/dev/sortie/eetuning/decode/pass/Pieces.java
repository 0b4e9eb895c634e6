package dev.sortie.eetuning.decode.pass;

import dev.sortie.tensor.kernel.Kernels;

/**
 * How a prompt is cut into pieces that are read one after the other. Up to {@link
 * Kernels#ROW_STABLE} rows have one set of bits and more rows another, so no piece is that short
 * unless the whole prompt is: then the size of pieces does not show in any result.
 */
public final class Pieces {
  /**
   * Prompt tokens in one pass where nothing else waits: bounds the memory of temporaries, large
   * enough for full matrix speed.
   */
  public static final int USUAL = 512;

  /** Shortest that pieces can be asked to be. */
  public static final int LEAST = 2 * (Kernels.ROW_STABLE + 1);

  private Pieces() {}

  /**
   * Where the piece from token {@code from} on ends.
   *
   * @param length tokens of the prompt
   * @param most tokens a piece, at least {@link #LEAST}
   */
  public static int end(int from, int length, int most) {
    int end = from + most;
    if (end >= length) {
      return length;
    }
    return Math.min(end, length - Kernels.ROW_STABLE - 1);
  }
}
