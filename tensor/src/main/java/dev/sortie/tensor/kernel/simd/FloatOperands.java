package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.F32;
import static dev.sortie.tensor.kernel.Operands.check;

import dev.sortie.tensor.memory.Span;

/** Checks of operands in F32. Optional ones may be null. */
final class FloatOperands {
  private FloatOperands() {}

  /** Fails unless each span that is there holds a matrix. */
  static void matrices(String what, int rows, int cols, Span... spans) {
    vectors(what, (long) rows * cols, spans);
  }

  /** Fails unless each span that is there holds {@code count} elements. */
  static void vectors(String what, long count, Span... spans) {
    for (Span s : spans) {
      if (s != null) {
        check(what, s, F32, count);
      }
    }
  }

  /** The address of an operand, 0 if it is not there. */
  static long orZero(Span optional) {
    return optional == null ? 0 : optional.address();
  }
}
