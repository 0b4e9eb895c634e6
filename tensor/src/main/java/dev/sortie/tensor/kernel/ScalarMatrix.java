package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference matrix products and row look-ups. */
final class ScalarMatrix {
  private ScalarMatrix() {}

  static void run(MatrixCall call) {
    switch (call) {
      case MatrixCall.Linear c -> linear(c);
      case MatrixCall.Linears c -> c.each(ScalarMatrix::linear);
      case MatrixCall.PackedLinear c -> {
        c.w().checkLayout(PackedWeight.ROWS, (long) c.w().n() * c.w().k(), "scalar");
        linear(c.unpacked());
      }
      case MatrixCall.TiledLinears c -> ScalarTiles.linears(c);
      case MatrixCall.Gemm c -> gemm(c);
      case MatrixCall.SumRows c -> sumRows(c);
      case MatrixCall.GatherRows c -> gatherRows(c);
      case MatrixCall.ScatterAddRows c -> scatterAddRows(c);
    }
  }

  private static void linear(MatrixCall.Linear call) {
    int m = call.m();
    int n = call.n();
    int k = call.k();
    double[] xs = ScalarRows.load(call.x(), 0, Math.multiplyExact(m, k));
    double[] ys = new double[Math.multiplyExact(m, n)];
    double[] row = new double[k];
    for (int j = 0; j < n; j++) {
      ScalarRows.load(call.w(), (long) j * k, row, k);
      double b = call.bias() == null ? 0 : call.bias().get(j);
      for (int i = 0; i < m; i++) {
        ys[i * n + j] = ScalarRows.dot(xs, i * k, row, 0, k) + b;
      }
    }
    ScalarRows.store(call.y(), 0, ys, m * n);
  }

  static PackedWeight pack(KernelQuery.Pack call) {
    int n = call.n();
    int k = call.k();
    Span values = call.memory().allocate(call.dtype(), (long) n * k).span();
    double[] row = new double[k];
    for (int j = 0; j < n; j++) {
      ScalarRows.load(call.w(), (long) j * k, row, k);
      ScalarRows.store(values, (long) j * k, row, k);
    }
    return new PackedWeight(PackedWeight.ROWS, values, n, k);
  }

  private static void gemm(MatrixCall.Gemm call) {
    int m = call.m();
    int n = call.n();
    int k = call.k();
    double[] as = ScalarRows.load(call.a(), 0, Math.multiplyExact(m, k));
    double[] bs = ScalarRows.load(call.b(), 0, Math.multiplyExact(k, n));
    double[] row = new double[n];
    for (int i = 0; i < m; i++) {
      java.util.Arrays.fill(row, 0);
      for (int p = 0; p < k; p++) {
        double left = as[call.transA() ? p * m + i : i * k + p];
        for (int j = 0; j < n; j++) {
          row[j] += left * bs[call.transB() ? j * k + p : p * n + j];
        }
      }
      if (call.accumulate()) {
        ScalarRows.add(call.c(), (long) i * n, row, n);
      } else {
        ScalarRows.store(call.c(), (long) i * n, row, n);
      }
    }
  }

  private static void sumRows(MatrixCall.SumRows call) {
    int cols = call.cols();
    double[] row = new double[cols];
    double[] sum = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.x(), r * cols, row, cols);
      for (int c = 0; c < cols; c++) {
        sum[c] += row[c];
      }
    }
    ScalarRows.add(call.y(), 0, sum, cols);
  }

  private static void gatherRows(MatrixCall.GatherRows call) {
    int cols = call.cols();
    double[] row = new double[cols];
    for (int r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.table(), (long) call.ids().getInt(r) * cols, row, cols);
      ScalarRows.store(call.y(), (long) r * cols, row, cols);
    }
  }

  private static void scatterAddRows(MatrixCall.ScatterAddRows call) {
    int cols = call.cols();
    double[] row = new double[cols];
    for (int r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.dy(), (long) r * cols, row, cols);
      ScalarRows.add(call.table(), (long) call.ids().getInt(r) * cols, row, cols);
    }
  }
}
