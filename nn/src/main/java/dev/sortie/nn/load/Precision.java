package dev.sortie.nn.load;

import dev.sortie.tensor.dtype.DType;
import java.util.Locale;

/**
 * The type in which matrices are held in memory. Norms and biases are F32 always; arithmetic is
 * F32.
 */
public enum Precision {
  /** As the file has them, used in place from the mapped file. */
  FILE,
  /** Copied to F32. */
  F32,
  /** Copied to BF16, rounded to nearest even. */
  BF16;

  /** The type for a matrix that the file holds as {@code stored}. */
  DType of(DType stored) {
    return switch (this) {
      case FILE -> stored;
      case F32 -> DType.F32;
      case BF16 -> DType.BF16;
    };
  }

  /** The name in lower case, as output has it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
