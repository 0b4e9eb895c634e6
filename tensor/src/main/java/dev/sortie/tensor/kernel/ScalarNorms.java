package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference normalisations. */
final class ScalarNorms {
  private ScalarNorms() {}

  static void rmsNorm(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols) {
    check("rmsNorm", x, w, y, rstd, rows, cols);
    double[] weight = ScalarRows.load(w, 0, cols);
    double[] row = new double[cols];
    for (int r = 0; r < rows; r++) {
      ScalarRows.load(x, (long) r * cols, row, cols);
      double scale = 1 / Math.sqrt(ScalarRows.dot(row, 0, row, 0, cols) / cols + eps);
      for (int c = 0; c < cols; c++) {
        row[c] *= scale * weight[c];
      }
      ScalarRows.store(y, (long) r * cols, row, cols);
      rstd.set(r, scale);
    }
  }

  static void rmsNormBackward(
      Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    check("rmsNormBackward", x, w, dy, rstd, rows, cols);
    double[] weight = ScalarRows.load(w, 0, cols);
    double[] row = new double[cols];
    double[] grad = new double[cols];
    double[] weightGrad = new double[cols];
    for (int r = 0; r < rows; r++) {
      long at = (long) r * cols;
      ScalarRows.load(x, at, row, cols);
      ScalarRows.load(dy, at, grad, cols);
      double scale = rstd.get(r);
      double mean = 0;
      for (int c = 0; c < cols; c++) {
        row[c] *= scale;
        weightGrad[c] += grad[c] * row[c];
        grad[c] *= weight[c];
        mean += grad[c] * row[c] / cols;
      }
      for (int c = 0; c < cols; c++) {
        grad[c] = scale * (grad[c] - row[c] * mean);
      }
      addTo("dx", dx, at, grad, cols);
    }
    addTo("dw", dw, 0, weightGrad, cols);
  }

  static void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    check("layerNorm", x, w, y, rstd, rows, cols);
    Operands.length("layerNorm mean", mean, rows);
    double[] weight = ScalarRows.load(w, 0, cols);
    double[] bias = b == null ? new double[cols] : ScalarRows.load(b, 0, cols);
    double[] row = new double[cols];
    for (int r = 0; r < rows; r++) {
      ScalarRows.load(x, (long) r * cols, row, cols);
      double center = 0;
      for (int c = 0; c < cols; c++) {
        center += row[c] / cols;
      }
      double variance = 0;
      for (int c = 0; c < cols; c++) {
        variance += (row[c] - center) * (row[c] - center) / cols;
      }
      double scale = 1 / Math.sqrt(variance + eps);
      for (int c = 0; c < cols; c++) {
        row[c] = (row[c] - center) * scale * weight[c] + bias[c];
      }
      ScalarRows.store(y, (long) r * cols, row, cols);
      mean.set(r, center);
      rstd.set(r, scale);
    }
  }

  static void layerNormBackward(
      Span x,
      Span w,
      Span mean,
      Span rstd,
      Span dy,
      Span dx,
      Span dw,
      Span db,
      int rows,
      int cols) {
    check("layerNormBackward", x, w, dy, rstd, rows, cols);
    Operands.length("layerNormBackward mean", mean, rows);
    double[] weight = ScalarRows.load(w, 0, cols);
    double[] row = new double[cols];
    double[] grad = new double[cols];
    double[] weightGrad = new double[cols];
    double[] biasGrad = new double[cols];
    for (int r = 0; r < rows; r++) {
      long at = (long) r * cols;
      ScalarRows.load(x, at, row, cols);
      ScalarRows.load(dy, at, grad, cols);
      double center = mean.get(r);
      double scale = rstd.get(r);
      double meanGrad = 0;
      double meanProduct = 0;
      for (int c = 0; c < cols; c++) {
        row[c] = (row[c] - center) * scale;
        weightGrad[c] += grad[c] * row[c];
        biasGrad[c] += grad[c];
        grad[c] *= weight[c];
        meanGrad += grad[c] / cols;
        meanProduct += grad[c] * row[c] / cols;
      }
      for (int c = 0; c < cols; c++) {
        grad[c] = scale * (grad[c] - meanGrad - row[c] * meanProduct);
      }
      addTo("dx", dx, at, grad, cols);
    }
    addTo("dw", dw, 0, weightGrad, cols);
    addTo("db", db, 0, biasGrad, cols);
  }

  private static void addTo(String what, Span span, long from, double[] row, int cols) {
    if (span != null) {
      Operands.length(what, span, from + cols);
      ScalarRows.add(span, from, row, cols);
    }
  }

  private static void check(String what, Span x, Span w, Span y, Span rstd, int rows, int cols) {
    Operands.length(what + " x", x, (long) rows * cols);
    Operands.length(what + " w", w, cols);
    Operands.length(what + " y", y, (long) rows * cols);
    Operands.length(what + " rstd", rstd, rows);
  }
}
