package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.ElementwiseCall;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;

/**
 * Reading and accumulating through views. A view is first reduced to as few dims as it can be; its
 * innermost dim then is a row, contiguous in most views that occur (heads swapped with tokens,
 * slices, rows broadcast).
 */
final class StridedCopies {
  private StridedCopies() {}

  /**
   * A view with dims of size 1 dropped and mergeable neighbours merged; the last dim is the row.
   */
  private record Rows(long[] shape, long[] strides, long count, long row, long stride) {
    static Rows of(Strided layout) {
      long[] from = layout.shape();
      long[] steps = layout.strides();
      long[] shape = new long[from.length + 1];
      long[] strides = new long[from.length + 1];
      int dims = 0;
      for (int d = 0; d < from.length; d++) {
        if (from[d] == 1) {
          continue;
        }
        if (dims > 0 && strides[dims - 1] == from[d] * steps[d]) {
          shape[dims - 1] *= from[d];
          strides[dims - 1] = steps[d];
        } else {
          shape[dims] = from[d];
          strides[dims] = steps[d];
          dims++;
        }
      }
      if (dims == 0) {
        shape[0] = 1;
        strides[0] = 1;
        dims = 1;
      }
      int outer = dims - 1;
      return new Rows(
          java.util.Arrays.copyOf(shape, outer),
          java.util.Arrays.copyOf(strides, outer),
          layout.count() / shape[outer],
          shape[outer],
          strides[outer]);
    }

    /** Offset of row {@code r}, in elements. */
    long offset(long r) {
      long offset = 0;
      long rest = r;
      for (int d = shape.length - 1; d >= 0; d--) {
        offset += rest % shape[d] * strides[d];
        rest /= shape[d];
      }
      return offset;
    }

    /** Whether all rows are one row. */
    boolean repeats() {
      for (long s : strides) {
        if (s != 0) {
          return false;
        }
      }
      return count > 1;
    }

    /**
     * Whether no element is met twice, for sure: each stride steps over all that the smaller ones
     * reach.
     */
    boolean distinct() {
      Integer[] order = new Integer[shape.length];
      java.util.Arrays.setAll(order, i -> i);
      java.util.Arrays.sort(order, java.util.Comparator.comparingLong(i -> strides[i]));
      long reach = (row - 1) * stride;
      if (row > 1 && stride == 0) {
        return false;
      }
      for (int d : order) {
        if (strides[d] <= reach) {
          return false;
        }
        reach += (shape[d] - 1) * strides[d];
      }
      return true;
    }
  }

  /** {@code y[i] = x[layout(i)]}, elements of any size. */
  static void copy(WorkerPool pool, ElementwiseCall.CopyStrided call) {
    if (call.layout().count() == 0) {
      return;
    }
    Rows rows = Rows.of(call.layout());
    long x = call.x().address();
    long y = call.y().address();
    int bytes = call.x().dtype().bytes();
    pool.range(
        Math.toIntExact(rows.count),
        Split.grain(rows.row),
        (from, to) -> {
          for (long r = from; r < to; r++) {
            copyRow(
                x + rows.offset(r) * bytes, y + r * rows.row * bytes, rows.row, rows.stride, bytes);
          }
        });
  }

  private static void copyRow(long x, long y, long n, long stride, int bytes) {
    if (stride == 1) {
      Conversions.copyBytes(x, y, n * bytes);
      return;
    }
    long step = stride * bytes;
    switch (bytes) {
      case 2 -> {
        for (long i = 0; i < n; i++) {
          MEMORY.set(
              JAVA_SHORT_UNALIGNED, y + 2 * i, MEMORY.get(JAVA_SHORT_UNALIGNED, x + i * step));
        }
      }
      case 4 -> {
        for (long i = 0; i < n; i++) {
          MEMORY.set(JAVA_INT_UNALIGNED, y + 4 * i, MEMORY.get(JAVA_INT_UNALIGNED, x + i * step));
        }
      }
      default -> {
        for (long i = 0; i < n; i++) {
          MEMORY.set(JAVA_LONG_UNALIGNED, y + 8 * i, MEMORY.get(JAVA_LONG_UNALIGNED, x + i * step));
        }
      }
    }
  }

  /**
   * {@code y[layout(i)] += x[i]} in F32; what is met several times is added one after the other.
   */
  static void add(WorkerPool pool, ElementwiseCall.AddStrided call) {
    if (call.layout().count() == 0) {
      return;
    }
    Rows rows = Rows.of(call.layout());
    long x = call.x().address();
    long y = call.y().address();
    if (rows.stride == 1 && rows.repeats()) {
      Split.columns(
          pool,
          Math.toIntExact(rows.row),
          rows.count,
          (from, to) -> Sums.rows(x, y, rows.count, rows.row, from, to));
    } else if (rows.distinct()) {
      pool.range(
          Math.toIntExact(rows.count),
          Split.grain(rows.row),
          (from, to) -> addRows(rows, x, y, from, to));
    } else {
      addRows(rows, x, y, 0, rows.count);
    }
  }

  private static void addRows(Rows rows, long x, long y, long from, long to) {
    for (long r = from; r < to; r++) {
      addRow(x + 4 * r * rows.row, y + 4 * rows.offset(r), rows.row, rows.stride);
    }
  }

  private static void addRow(long x, long y, long n, long stride) {
    if (stride == 1) {
      Elementwise.add(x, y, y, n);
      return;
    }
    for (long i = 0; i < n; i++) {
      long at = y + 4 * i * stride;
      set(at, get(at) + get(x + 4 * i));
    }
  }
}
