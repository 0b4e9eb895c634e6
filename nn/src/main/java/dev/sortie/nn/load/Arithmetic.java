package dev.sortie.nn.load;

import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Locale;

/** How rows are multiplied with weights in quantised blocks. */
public enum Arithmetic {
  /**
   * In 16-bit integers, from weights in tiles that are made when a model is loaded: see {@link
   * Kernels#tiledLinears}. Each row of x is rounded to some 9 bits, and a product differs from that
   * in F32 by some 2e-3 of its norm; its bits are the same for all kernel sets. For weights that do
   * not change.
   */
  INTEGER,
  /** In F32, from weights as they are held: the bits that decoded F32 weights give. */
  EXACT;

  /** The arithmetic on a device: exact where its kernels multiply no faster with tiles. */
  public Arithmetic on(Device device) {
    return device.kernels().prefersTiles() ? this : EXACT;
  }

  /** The name in lower case, as output has it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
