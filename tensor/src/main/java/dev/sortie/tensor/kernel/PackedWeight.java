package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;
import java.util.Objects;

/**
 * A weight {@code [n, k]} in the order in which the products of one kernel set read it, made by
 * {@link Kernels#pack}. It holds decoded values, so it takes four bytes per element whatever the
 * weight's type (eight for F64).
 *
 * @param layout names the order; kernels refuse one that is not theirs
 * @param values the elements and padding
 * @param n outputs
 * @param k inputs
 */
public record PackedWeight(String layout, Span values, int n, int k) {
  /** The order of the scalar reference: row after row, as the weight itself. */
  public static final String ROWS = "rows";

  public PackedWeight {
    Objects.requireNonNull(layout, "layout");
    Operands.sizes("packed weight", n, k);
    Operands.length("packed weight", values, (long) n * k);
  }

  /**
   * Fails unless the order is {@code expected}, and the elements it takes are there.
   *
   * @param elements that the order takes, padding included
   * @param kernels the kernel set that reads it
   */
  public void checkLayout(String expected, long elements, String kernels) {
    if (!layout.equals(expected)) {
      throw new IllegalArgumentException(
          "weight is packed as "
              + layout
              + ", the "
              + kernels
              + " kernels read "
              + expected
              + "; pack it with the kernel set that reads it");
    }
    Operands.length("packed weight", values, elements);
  }
}
