package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference softmax, losses and argmax. */
final class ScalarLosses {
  private ScalarLosses() {}

  static void softmax(Span x, Span y, int rows, int cols) {
    matrix("softmax x", x, rows, cols);
    matrix("softmax y", y, rows, cols);
    double[] row = new double[cols];
    for (long r = 0; r < rows; r++) {
      ScalarRows.load(x, r * cols, row, cols);
      double max = ScalarRows.max(row, cols);
      double sum = 0;
      for (int c = 0; c < cols; c++) {
        row[c] = Math.exp(row[c] - max);
        sum += row[c];
      }
      for (int c = 0; c < cols; c++) {
        row[c] /= sum;
      }
      ScalarRows.store(y, r * cols, row, cols);
    }
  }

  static void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    matrix("softmaxBackward y", y, rows, cols);
    matrix("softmaxBackward dy", dy, rows, cols);
    matrix("softmaxBackward dx", dx, rows, cols);
    double[] row = new double[cols];
    double[] grad = new double[cols];
    for (long r = 0; r < rows; r++) {
      ScalarRows.load(y, r * cols, row, cols);
      ScalarRows.load(dy, r * cols, grad, cols);
      double mean = ScalarRows.dot(row, 0, grad, 0, cols);
      for (int c = 0; c < cols; c++) {
        grad[c] = row[c] * (grad[c] - mean);
      }
      ScalarRows.add(dx, r * cols, grad, cols);
    }
  }

  static void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    matrix("crossEntropy logits", logits, rows, cols);
    Operands.length("crossEntropy targets", targets, rows);
    Operands.length("crossEntropy loss", loss, rows);
    Operands.length("crossEntropy lse", lse, rows);
    double[] row = new double[cols];
    for (long r = 0; r < rows; r++) {
      ScalarRows.load(logits, r * cols, row, cols);
      double rowLse = ScalarRows.logSumExp(row, cols);
      lse.set(r, rowLse);
      loss.set(
          r, targets.getInt(r) < 0 ? 0 : rowLse - row[Operands.id("targets", targets, r, cols)]);
    }
  }

  static void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    matrix("crossEntropyBackward logits", logits, rows, cols);
    matrix("crossEntropyBackward dlogits", dlogits, rows, cols);
    Operands.length("crossEntropyBackward targets", targets, rows);
    Operands.length("crossEntropyBackward lse", lse, rows);
    Operands.length("crossEntropyBackward dloss", dloss, rows);
    double[] row = new double[cols];
    for (long r = 0; r < rows; r++) {
      if (targets.getInt(r) < 0) {
        continue;
      }
      ScalarRows.load(logits, r * cols, row, cols);
      double scale = dloss.get(r);
      double rowLse = lse.get(r);
      for (int c = 0; c < cols; c++) {
        row[c] = scale * Math.exp(row[c] - rowLse);
      }
      row[Operands.id("targets", targets, r, cols)] -= scale;
      ScalarRows.add(dlogits, r * cols, row, cols);
    }
  }

  static void kl(
      Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols) {
    matrix("kl logits", logits, rows, cols);
    matrix("kl teacher", teacher, rows, cols);
    Operands.length("kl loss", loss, rows);
    Operands.length("kl lse", lse, rows);
    Operands.length("kl teacherLse", teacherLse, rows);
    double[] row = new double[cols];
    double[] target = new double[cols];
    for (long r = 0; r < rows; r++) {
      ScalarRows.load(logits, r * cols, row, cols);
      ScalarRows.load(teacher, r * cols, target, cols);
      double rowLse = ScalarRows.logSumExp(row, cols);
      double targetLse = ScalarRows.logSumExp(target, cols);
      double sum = 0;
      for (int c = 0; c < cols; c++) {
        double p = Math.exp(target[c] - targetLse);
        if (p > 0) {
          sum += p * (target[c] - targetLse - (row[c] - rowLse));
        }
      }
      loss.set(r, sum);
      lse.set(r, rowLse);
      teacherLse.set(r, targetLse);
    }
  }

  static void klBackward(
      Span logits,
      Span teacher,
      Span lse,
      Span teacherLse,
      Span dloss,
      Span dlogits,
      int rows,
      int cols) {
    matrix("klBackward logits", logits, rows, cols);
    matrix("klBackward teacher", teacher, rows, cols);
    matrix("klBackward dlogits", dlogits, rows, cols);
    Operands.length("klBackward lse", lse, rows);
    Operands.length("klBackward teacherLse", teacherLse, rows);
    Operands.length("klBackward dloss", dloss, rows);
    double[] row = new double[cols];
    double[] target = new double[cols];
    for (long r = 0; r < rows; r++) {
      ScalarRows.load(logits, r * cols, row, cols);
      ScalarRows.load(teacher, r * cols, target, cols);
      double rowLse = lse.get(r);
      double targetLse = teacherLse.get(r);
      double scale = dloss.get(r);
      for (int c = 0; c < cols; c++) {
        row[c] = scale * (Math.exp(row[c] - rowLse) - Math.exp(target[c] - targetLse));
      }
      ScalarRows.add(dlogits, r * cols, row, cols);
    }
  }

  static void argmax(Span x, Span index, Span lse, int rows, int cols) {
    matrix("argmax x", x, rows, cols);
    Operands.length("argmax index", index, rows);
    Operands.length("argmax lse", lse, rows);
    double[] row = new double[cols];
    for (long r = 0; r < rows; r++) {
      ScalarRows.load(x, r * cols, row, cols);
      int best = 0;
      for (int c = 1; c < cols; c++) {
        if (row[c] > row[best]) {
          best = c;
        }
      }
      index.set(r, best);
      lse.set(r, ScalarRows.logSumExp(row, cols));
    }
  }

  private static void matrix(String what, Span span, int rows, int cols) {
    Operands.length(what, span, (long) rows * cols);
  }
}
