package dev.sortie.tensor.kernel;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;

/** Reference matrix products and row look-ups. */
final class ScalarMatrix {
  private ScalarMatrix() {}

  static void linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    Operands.length("linear x", x, (long) m * k);
    Operands.length("linear w", w, (long) n * k);
    Operands.wholeBlocks("linear w", w, k);
    Operands.length("linear y", y, (long) m * n);
    if (bias != null) {
      Operands.length("linear bias", bias, n);
    }
    double[] xs = ScalarRows.load(x, 0, Math.multiplyExact(m, k));
    double[] ys = new double[Math.multiplyExact(m, n)];
    double[] row = new double[k];
    for (int j = 0; j < n; j++) {
      ScalarRows.load(w, (long) j * k, row, k);
      double b = bias == null ? 0 : bias.get(j);
      for (int i = 0; i < m; i++) {
        ys[i * n + j] = ScalarRows.dot(xs, i * k, row, 0, k) + b;
      }
    }
    ScalarRows.store(y, 0, ys, m * n);
  }

  static PackedWeight pack(Span w, int n, int k, Allocator memory) {
    Operands.matrix("pack w", n, k);
    Operands.length("pack w", w, (long) n * k);
    DType type = w.dtype() == DType.F64 ? DType.F64 : DType.F32;
    Span values = memory.allocate(type, (long) n * k).span();
    double[] row = new double[k];
    for (int j = 0; j < n; j++) {
      ScalarRows.load(w, (long) j * k, row, k);
      ScalarRows.store(values, (long) j * k, row, k);
    }
    return new PackedWeight(PackedWeight.ROWS, values, n, k);
  }

  static void gemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span c,
      boolean accumulate) {
    Operands.length("gemm a", a, (long) m * k);
    Operands.length("gemm b", b, (long) k * n);
    Operands.wholeBlocks("gemm b", b, transB ? k : n);
    Operands.length("gemm c", c, (long) m * n);
    double[] as = ScalarRows.load(a, 0, Math.multiplyExact(m, k));
    double[] bs = ScalarRows.load(b, 0, Math.multiplyExact(k, n));
    double[] row = new double[n];
    for (int i = 0; i < m; i++) {
      java.util.Arrays.fill(row, 0);
      for (int p = 0; p < k; p++) {
        double left = as[transA ? p * m + i : i * k + p];
        for (int j = 0; j < n; j++) {
          row[j] += left * bs[transB ? j * k + p : p * n + j];
        }
      }
      if (accumulate) {
        ScalarRows.add(c, (long) i * n, row, n);
      } else {
        ScalarRows.store(c, (long) i * n, row, n);
      }
    }
  }

  static void gatherRows(Span table, Span ids, Span y, int rows, int cols) {
    int limit = Operands.tableRows("embedding table", table, cols);
    Operands.length("gatherRows ids", ids, rows);
    Operands.length("gatherRows y", y, (long) rows * cols);
    double[] row = new double[cols];
    for (int r = 0; r < rows; r++) {
      ScalarRows.load(table, (long) Operands.id("ids", ids, r, limit) * cols, row, cols);
      ScalarRows.store(y, (long) r * cols, row, cols);
    }
  }

  static void scatterAddRows(Span dy, Span ids, Span table, int rows, int cols) {
    int limit = Operands.tableRows("embedding table", table, cols);
    Operands.length("scatterAddRows ids", ids, rows);
    Operands.length("scatterAddRows dy", dy, (long) rows * cols);
    double[] row = new double[cols];
    for (int r = 0; r < rows; r++) {
      ScalarRows.load(dy, (long) r * cols, row, cols);
      ScalarRows.add(table, (long) Operands.id("ids", ids, r, limit) * cols, row, cols);
    }
  }
}
