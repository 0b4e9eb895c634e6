package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.dtype.DType.BF16;
import static dev.sortie.tensor.dtype.DType.F32;
import static dev.sortie.tensor.dtype.DType.F64;
import static dev.sortie.tensor.dtype.DType.I32;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.Objects;

/** The checks that {@link KernelCall}s make of their operands. */
final class Operands {
  private Operands() {}

  /** Fails unless {@code span} holds at least {@code needed} elements. */
  static void length(String what, Span span, long needed) {
    if (span.length() < needed) {
      throw new IllegalArgumentException(
          what + " holds " + span.length() + " elements, the kernel needs " + needed);
    }
  }

  /** Fails if a size of a matrix is negative. */
  static void sizes(String what, int rows, int cols) {
    if (rows < 0 || cols < 0) {
      throw new IllegalArgumentException(
          what + " has negative sizes: " + rows + " rows, " + cols + " columns");
    }
  }

  /**
   * Fails unless {@code span} is of type {@code dtype} and holds at least {@code needed} elements.
   */
  static void check(String what, Span span, DType dtype, long needed) {
    Objects.requireNonNull(span, what);
    if (span.dtype() != dtype) {
      throw new IllegalArgumentException(
          what + " is " + span.dtype() + ", the kernel needs " + dtype);
    }
    length(what, span, needed);
  }

  /** The type of {@code span}; fails unless kernels compute in it. */
  static DType real(String what, Span span) {
    DType type = Objects.requireNonNull(span, what).dtype();
    if (type != F32 && type != F64) {
      throw new IllegalArgumentException(
          what + " is " + type + ", the kernel needs F32; convert it with copy");
    }
    return type;
  }

  /** Fails unless each span is of type {@code dtype} and holds at least {@code needed} elements. */
  static void all(String what, DType dtype, long needed, Span... spans) {
    for (Span span : spans) {
      check(what, span, dtype, needed);
    }
  }

  /** Fails unless the spans hold matrices of these sizes in one type, which is returned. */
  static DType matrices(String what, int rows, int cols, Span... spans) {
    sizes(what, rows, cols);
    DType type = real(what, spans[0]);
    all(what, type, (long) rows * cols, spans);
    return type;
  }

  /** {@link #check} of an operand that may be missing. */
  static void optional(String what, Span span, DType dtype, long needed) {
    if (span != null) {
      check(what, span, dtype, needed);
    }
  }

  /** Fails unless the spans are of the type of {@code first}, F32 or F64, and of its length. */
  static void alike(String what, Span first, Span... others) {
    DType type = real(what, first);
    for (Span other : others) {
      check(what, other, type, 0);
      sameLength(what, first, other);
    }
  }

  /** Fails unless both spans have one length. */
  static void sameLength(String what, Span a, Span b) {
    if (a.length() != b.length()) {
      throw new IllegalArgumentException(
          what + " has operands of different lengths, " + a.length() + " and " + b.length());
    }
  }

  /**
   * Fails unless {@code span} is a matrix of whole rows in a type that weights are stored in; F64
   * where the kernel computes in it.
   */
  static void weight(String what, Span span, DType computed, int rows, int cols) {
    stored(what, span, computed);
    length(what, span, (long) rows * cols);
    wholeBlocks(what, span, cols);
  }

  private static void stored(String what, Span span, DType computed) {
    DType type = Objects.requireNonNull(span, what).dtype();
    if (type == I32 || type == F64 && computed != F64) {
      throw new IllegalArgumentException(
          what + " is " + type + ", expected F32, BF16, F16 or quantised; convert it with copy");
    }
  }

  /** Fails unless {@code span} is a cache of keys or values; in F64 as well if so computed. */
  static void cache(String what, Span span, DType computed, long needed) {
    DType type = Objects.requireNonNull(span, what).dtype();
    check(what, span, type == BF16 || type == F32 && computed == F64 ? type : computed, needed);
  }

  /** Fails unless the view {@code layout} lies inside {@code span}. */
  static void view(String what, Span span, Strided layout) {
    long last = 0;
    long[] shape = layout.shape();
    long[] strides = layout.strides();
    for (int d = 0; d < shape.length; d++) {
      if (shape[d] == 0) {
        return;
      }
      if (shape[d] < 0 || strides[d] < 0) {
        throw new IllegalArgumentException(what + " has a negative size or stride: " + layout);
      }
      last = Math.addExact(last, Math.multiplyExact(shape[d] - 1, strides[d]));
    }
    if (last >= span.length()) {
      throw new IllegalArgumentException(
          what
              + " of "
              + layout
              + " reaches element "
              + last
              + ", the span holds "
              + span.length());
    }
  }

  /** Fails unless {@code ids} are {@code count} integers in {@code [0, limit)}. */
  static void ids(String what, Span ids, int count, int limit) {
    check(what, ids, I32, count);
    for (int r = 0; r < count; r++) {
      int id = ids.getInt(r);
      if (id < 0 || id >= limit) {
        throw outside(what, r, id, limit);
      }
    }
  }

  /** {@link #ids}, of which negative ones mean "ignore". */
  static void targets(Span targets, int count, int limit) {
    check("targets", targets, I32, count);
    for (int r = 0; r < count; r++) {
      int target = targets.getInt(r);
      if (target >= limit) {
        throw outside("targets", r, target, limit);
      }
    }
  }

  private static IllegalArgumentException outside(String what, int r, int id, int limit) {
    return new IllegalArgumentException(
        what + "[" + r + "] is " + id + ", it must be in [0, " + limit + ")");
  }

  /** Fails if rows of {@code length} elements would begin or end inside a quantised block. */
  private static void wholeBlocks(String what, Span span, int length) {
    int block = span.dtype().block();
    if (length % block != 0) {
      throw new IllegalArgumentException(
          what
              + " is "
              + span.dtype()
              + ", in blocks of "
              + block
              + " elements, but its rows have "
              + length
              + "; convert it with copy");
    }
  }

  /**
   * Fails unless {@code table} holds a whole number of rows of {@code cols}, in a type that weights
   * are stored in; returns how many.
   */
  static int tableRows(String what, Span table, DType computed, int cols) {
    stored(what, table, computed);
    if (cols < 1 || table.length() % cols != 0) {
      throw new IllegalArgumentException(
          what
              + " holds "
              + table.length()
              + " elements, not a multiple of the row length "
              + cols);
    }
    wholeBlocks(what, table, cols);
    return Math.toIntExact(table.length() / cols);
  }
}
