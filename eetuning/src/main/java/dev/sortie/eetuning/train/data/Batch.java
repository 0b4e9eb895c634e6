package dev.sortie.eetuning.train.data;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.Allocator;

/**
 * Token windows of equal length, cut into inputs and their next tokens.
 *
 * @param inputs I32 {@code [B, T]}
 * @param targets I32 {@code [B, T]}
 */
public record Batch(Tensor inputs, Tensor targets) {

  /** From windows of {@code T + 1} tokens. */
  public static Batch of(Allocator allocator, int[][] windows) {
    int length = windows[0].length - 1;
    int[] in = new int[windows.length * length];
    int[] out = new int[in.length];
    for (int b = 0; b < windows.length; b++) {
      System.arraycopy(windows[b], 0, in, b * length, length);
      System.arraycopy(windows[b], 1, out, b * length, length);
    }
    Shape shape = Shape.of(windows.length, length);
    return new Batch(Tensor.ids(allocator, shape, in), Tensor.ids(allocator, shape, out));
  }
}
