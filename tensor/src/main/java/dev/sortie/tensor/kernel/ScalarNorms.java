package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference normalisations. */
final class ScalarNorms {
  private ScalarNorms() {}

  static void run(NormCall call) {
    switch (call) {
      case NormCall.RmsNorm c -> rmsNorm(c);
      case NormCall.RmsNormBackward c -> rmsNormBackward(c);
      case NormCall.LayerNorm c -> layerNorm(c);
      case NormCall.LayerNormBackward c -> layerNormBackward(c);
    }
  }

  private static void rmsNorm(NormCall.RmsNorm call) {
    int cols = call.cols();
    double[] weight = ScalarRows.load(call.w(), 0, cols);
    double[] row = new double[cols];
    for (int r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.x(), (long) r * cols, row, cols);
      double scale = 1 / Math.sqrt(ScalarRows.dot(row, 0, row, 0, cols) / cols + call.eps());
      for (int c = 0; c < cols; c++) {
        row[c] *= scale * weight[c];
      }
      ScalarRows.store(call.y(), (long) r * cols, row, cols);
      call.rstd().set(r, scale);
    }
  }

  private static void rmsNormBackward(NormCall.RmsNormBackward call) {
    int cols = call.cols();
    double[] weight = ScalarRows.load(call.w(), 0, cols);
    double[] row = new double[cols];
    double[] grad = new double[cols];
    double[] weightGrad = new double[cols];
    for (int r = 0; r < call.rows(); r++) {
      long at = (long) r * cols;
      ScalarRows.load(call.x(), at, row, cols);
      ScalarRows.load(call.dy(), at, grad, cols);
      double scale = call.rstd().get(r);
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
      addTo(call.dx(), at, grad, cols);
    }
    addTo(call.dw(), 0, weightGrad, cols);
  }

  private static void layerNorm(NormCall.LayerNorm call) {
    int cols = call.cols();
    double[] weight = ScalarRows.load(call.w(), 0, cols);
    double[] bias = call.b() == null ? new double[cols] : ScalarRows.load(call.b(), 0, cols);
    double[] row = new double[cols];
    for (int r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.x(), (long) r * cols, row, cols);
      double center = 0;
      for (int c = 0; c < cols; c++) {
        center += row[c] / cols;
      }
      double variance = 0;
      for (int c = 0; c < cols; c++) {
        variance += (row[c] - center) * (row[c] - center) / cols;
      }
      double scale = 1 / Math.sqrt(variance + call.eps());
      for (int c = 0; c < cols; c++) {
        row[c] = (row[c] - center) * scale * weight[c] + bias[c];
      }
      ScalarRows.store(call.y(), (long) r * cols, row, cols);
      call.mean().set(r, center);
      call.rstd().set(r, scale);
    }
  }

  private static void layerNormBackward(NormCall.LayerNormBackward call) {
    int cols = call.cols();
    double[] weight = ScalarRows.load(call.w(), 0, cols);
    double[] row = new double[cols];
    double[] grad = new double[cols];
    double[] weightGrad = new double[cols];
    double[] biasGrad = new double[cols];
    for (int r = 0; r < call.rows(); r++) {
      long at = (long) r * cols;
      ScalarRows.load(call.x(), at, row, cols);
      ScalarRows.load(call.dy(), at, grad, cols);
      double center = call.mean().get(r);
      double scale = call.rstd().get(r);
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
      addTo(call.dx(), at, grad, cols);
    }
    addTo(call.dw(), 0, weightGrad, cols);
    addTo(call.db(), 0, biasGrad, cols);
  }

  private static void addTo(Span span, long from, double[] row, int cols) {
    if (span != null) {
      ScalarRows.add(span, from, row, cols);
    }
  }
}
