package dev.sortie.tensor.kernel;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Checks of kernel operands, shared by every kernel set: a kernel that got past them stays inside
 * its spans.
 */
public final class Operands {
  private Operands() {}

  /** Fails unless {@code span} holds at least {@code needed} elements. */
  public static void length(String what, Span span, long needed) {
    if (span.length() < needed) {
      throw new IllegalArgumentException(
          what + " holds " + span.length() + " elements, the kernel needs " + needed);
    }
  }

  /** Fails if a size of a matrix is negative. */
  public static void matrix(String what, int rows, int cols) {
    if (rows < 0 || cols < 0) {
      throw new IllegalArgumentException(
          what + " has negative sizes: " + rows + " rows, " + cols + " columns");
    }
  }

  /**
   * Fails unless {@code span} is of type {@code dtype} and holds at least {@code needed} elements.
   */
  public static void check(String what, Span span, DType dtype, long needed) {
    if (span.dtype() != dtype) {
      throw new IllegalArgumentException(
          what + " is " + span.dtype() + ", the kernel needs " + dtype);
    }
    length(what, span, needed);
  }

  /** Fails unless {@code k} and {@code v} are runs of all keys and values of one sequence. */
  public static void requireRuns(List<Span> k, List<Span> v, AttentionShape s) {
    if (s.batch() != 1 || k.size() != v.size()) {
      throw new IllegalArgumentException(
          "attention over runs is of one sequence with as many runs of keys as of values, got "
              + s.batch()
              + " sequences, "
              + k.size()
              + " and "
              + v.size()
              + " runs");
    }
    long token = (long) s.kvHeads() * s.headSize();
    long length = 0;
    for (int i = 0; i < k.size(); i++) {
      DType type = k.getFirst().dtype() == DType.BF16 ? DType.BF16 : DType.F32;
      check("attention run of k", k.get(i), type, 0);
      check(
          "attention run of v",
          v.get(i),
          v.getFirst().dtype() == DType.BF16 ? DType.BF16 : DType.F32,
          0);
      length += sameLength("attention run", k.get(i), v.get(i));
      if (k.get(i).length() % token != 0) {
        throw new IllegalArgumentException(
            "attention run of " + k.get(i).length() + " elements, a token has " + token);
      }
    }
    if (length != s.keys() * token) {
      throw new IllegalArgumentException(
          "attention runs hold " + length + " elements, the kernel needs " + s.keys() * token);
    }
  }

  /** Fails unless both spans have one length, which is returned. */
  public static long sameLength(String what, Span a, Span b) {
    if (a.length() != b.length()) {
      throw new IllegalArgumentException(
          what + " has operands of different lengths, " + a.length() + " and " + b.length());
    }
    return a.length();
  }

  /** Fails unless the view {@code layout} lies inside {@code span}. */
  public static void view(String what, Span span, Strided layout) {
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

  /** Element {@code r} of {@code ids}; fails unless it is in {@code [0, limit)}. */
  public static int id(String what, Span ids, long r, int limit) {
    int id = ids.getInt(r);
    if (id < 0 || id >= limit) {
      throw new IllegalArgumentException(
          what + "[" + r + "] is " + id + ", it must be in [0, " + limit + ")");
    }
    return id;
  }

  /** Fails if rows of {@code length} elements would begin or end inside a quantised block. */
  public static void wholeBlocks(String what, Span span, int length) {
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

  /** Fails unless {@code table} holds a whole number of rows of {@code cols}; returns how many. */
  public static int tableRows(String what, Span table, int cols) {
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
