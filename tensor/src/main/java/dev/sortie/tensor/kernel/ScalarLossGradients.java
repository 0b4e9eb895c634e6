package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference losses that turn logits into their gradient. */
final class ScalarLossGradients {
  private ScalarLossGradients() {}

  static void crossEntropy(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    Operands.length("crossEntropyGradient logits", logits, (long) rows * cols);
    Operands.length("crossEntropyGradient targets", targets, rows);
    Operands.length("crossEntropyGradient weight", weight, rows);
    Operands.length("crossEntropyGradient loss", loss, rows);
    int[] target = new int[rows];
    for (int r = 0; r < rows; r++) {
      target[r] = targets.getInt(r) < 0 ? -1 : Operands.id("targets", targets, r, cols);
    }
    double[] row = new double[cols];
    for (int r = 0; r < rows; r++) {
      double result = 0;
      if (target[r] < 0) {
        java.util.Arrays.fill(row, 0);
      } else {
        ScalarRows.load(logits, (long) r * cols, row, cols);
        double lse = ScalarRows.logSumExp(row, cols);
        result = lse - row[target[r]];
        double w = weighed(weight, r, row, lse, confident);
        for (int c = 0; c < cols; c++) {
          row[c] = w * Math.exp(row[c] - lse);
        }
        row[target[r]] -= w;
      }
      ScalarRows.store(logits, (long) r * cols, row, cols);
      loss.set(r, result);
    }
  }

  private static double weighed(Span weight, int r, double[] row, double lse, boolean confident) {
    double w = weight.get(r);
    if (confident) {
      w *= Math.exp(ScalarRows.max(row, row.length) - lse);
      weight.set(r, w);
    }
    return w;
  }

  static void logSoftmax(Span x, Span p, int rows, int cols) {
    Operands.length("logSoftmax x", x, (long) rows * cols);
    Operands.length("logSoftmax p", p, (long) rows * cols);
    double[] row = new double[cols];
    double[] probability = new double[cols];
    for (long r = 0; r < rows; r++) {
      ScalarRows.load(x, r * cols, row, cols);
      double lse = ScalarRows.logSumExp(row, cols);
      for (int c = 0; c < cols; c++) {
        row[c] -= lse;
        probability[c] = Math.exp(row[c]);
      }
      ScalarRows.store(x, r * cols, row, cols);
      ScalarRows.store(p, r * cols, probability, cols);
    }
  }

  static void kl(
      Span logits,
      Span logP,
      Span p,
      Span weight,
      Span loss,
      int rows,
      int cols,
      boolean confident) {
    Operands.length("klGradient logits", logits, (long) rows * cols);
    Operands.length("klGradient logP", logP, (long) rows * cols);
    Operands.length("klGradient p", p, (long) rows * cols);
    Operands.length("klGradient weight", weight, rows);
    Operands.length("klGradient loss", loss, rows);
    double[] row = new double[cols];
    double[] log = new double[cols];
    double[] probability = new double[cols];
    for (int r = 0; r < rows; r++) {
      ScalarRows.load(logits, (long) r * cols, row, cols);
      ScalarRows.load(logP, (long) r * cols, log, cols);
      ScalarRows.load(p, (long) r * cols, probability, cols);
      double lse = ScalarRows.logSumExp(row, cols);
      double w = weighed(weight, r, row, lse, confident);
      double sum = 0;
      for (int c = 0; c < cols; c++) {
        if (probability[c] != 0) {
          sum += probability[c] * (log[c] - (row[c] - lse));
        }
        row[c] = w * (Math.exp(row[c] - lse) - probability[c]);
      }
      ScalarRows.store(logits, (long) r * cols, row, cols);
      loss.set(r, sum);
    }
  }
}
