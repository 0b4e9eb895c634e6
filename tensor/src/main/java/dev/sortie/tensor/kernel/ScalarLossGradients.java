package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference losses that turn logits into their gradient. */
final class ScalarLossGradients {
  private ScalarLossGradients() {}

  static void crossEntropy(LossCall.CrossEntropyGradient call) {
    int cols = call.cols();
    double[] row = new double[cols];
    for (int r = 0; r < call.rows(); r++) {
      double result = 0;
      int target = call.targets().getInt(r);
      if (target < 0) {
        java.util.Arrays.fill(row, 0);
      } else {
        ScalarRows.load(call.logits(), (long) r * cols, row, cols);
        double lse = ScalarRows.logSumExp(row, cols);
        result = lse - row[target];
        double w = weighed(call.weight(), r, row, lse, call.confident());
        for (int c = 0; c < cols; c++) {
          row[c] = w * Math.exp(row[c] - lse);
        }
        row[target] -= w;
      }
      ScalarRows.store(call.logits(), (long) r * cols, row, cols);
      call.loss().set(r, result);
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

  static void logSoftmax(LossCall.LogSoftmax call) {
    int cols = call.cols();
    double[] row = new double[cols];
    double[] probability = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.logits(), r * cols, row, cols);
      double lse = ScalarRows.logSumExp(row, cols);
      for (int c = 0; c < cols; c++) {
        row[c] -= lse;
        probability[c] = Math.exp(row[c]);
      }
      ScalarRows.store(call.logits(), r * cols, row, cols);
      ScalarRows.store(call.p(), r * cols, probability, cols);
    }
  }

  static void kl(LossCall.KlGradient call) {
    int cols = call.cols();
    double[] row = new double[cols];
    double[] log = new double[cols];
    double[] probability = new double[cols];
    for (int r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.logits(), (long) r * cols, row, cols);
      ScalarRows.load(call.logP(), (long) r * cols, log, cols);
      ScalarRows.load(call.p(), (long) r * cols, probability, cols);
      double lse = ScalarRows.logSumExp(row, cols);
      double w = weighed(call.weight(), r, row, lse, call.confident());
      double sum = 0;
      for (int c = 0; c < cols; c++) {
        if (probability[c] != 0) {
          sum += probability[c] * (log[c] - (row[c] - lse));
        }
        row[c] = w * (Math.exp(row[c] - lse) - probability[c]);
      }
      ScalarRows.store(call.logits(), (long) r * cols, row, cols);
      call.loss().set(r, sum);
    }
  }
}
