package dev.sortie.tensor.kernel;

/** Reference softmax, losses and argmax. */
final class ScalarLosses {
  private ScalarLosses() {}

  static void run(LossCall call) {
    switch (call) {
      case LossCall.CrossEntropy c -> crossEntropy(c);
      case LossCall.CrossEntropyBackward c -> crossEntropyBackward(c);
      case LossCall.Kl c -> kl(c);
      case LossCall.KlBackward c -> klBackward(c);
      case LossCall.CrossEntropyGradient c -> ScalarLossGradients.crossEntropy(c);
      case LossCall.LogSoftmax c -> ScalarLossGradients.logSoftmax(c);
      case LossCall.KlGradient c -> ScalarLossGradients.kl(c);
      case LossCall.Argmax c -> argmax(c);
    }
  }

  static void softmax(ActivationCall.Softmax call) {
    int cols = call.cols();
    double[] row = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.x(), r * cols, row, cols);
      double max = ScalarRows.max(row, cols);
      double sum = 0;
      for (int c = 0; c < cols; c++) {
        row[c] = Math.exp(row[c] - max);
        sum += row[c];
      }
      for (int c = 0; c < cols; c++) {
        row[c] /= sum;
      }
      ScalarRows.store(call.y(), r * cols, row, cols);
    }
  }

  static void softmaxBackward(ActivationCall.SoftmaxBackward call) {
    int cols = call.cols();
    double[] row = new double[cols];
    double[] grad = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.y(), r * cols, row, cols);
      ScalarRows.load(call.dy(), r * cols, grad, cols);
      double mean = ScalarRows.dot(row, 0, grad, 0, cols);
      for (int c = 0; c < cols; c++) {
        grad[c] = row[c] * (grad[c] - mean);
      }
      ScalarRows.add(call.dx(), r * cols, grad, cols);
    }
  }

  private static void crossEntropy(LossCall.CrossEntropy call) {
    int cols = call.cols();
    double[] row = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.logits(), r * cols, row, cols);
      double rowLse = ScalarRows.logSumExp(row, cols);
      call.lse().set(r, rowLse);
      call.loss().set(r, call.targets().getInt(r) < 0 ? 0 : rowLse - row[call.targets().getInt(r)]);
    }
  }

  private static void crossEntropyBackward(LossCall.CrossEntropyBackward call) {
    int cols = call.cols();
    double[] row = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      if (call.targets().getInt(r) < 0) {
        continue;
      }
      ScalarRows.load(call.logits(), r * cols, row, cols);
      double scale = call.dloss().get(r);
      double rowLse = call.lse().get(r);
      for (int c = 0; c < cols; c++) {
        row[c] = scale * Math.exp(row[c] - rowLse);
      }
      row[call.targets().getInt(r)] -= scale;
      ScalarRows.add(call.dlogits(), r * cols, row, cols);
    }
  }

  private static void kl(LossCall.Kl call) {
    int cols = call.cols();
    double[] row = new double[cols];
    double[] target = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.logits(), r * cols, row, cols);
      ScalarRows.load(call.teacher(), r * cols, target, cols);
      double rowLse = ScalarRows.logSumExp(row, cols);
      double targetLse = ScalarRows.logSumExp(target, cols);
      double sum = 0;
      for (int c = 0; c < cols; c++) {
        double p = Math.exp(target[c] - targetLse);
        if (p > 0) {
          sum += p * (target[c] - targetLse - (row[c] - rowLse));
        }
      }
      call.loss().set(r, sum);
      call.lse().set(r, rowLse);
      call.teacherLse().set(r, targetLse);
    }
  }

  private static void klBackward(LossCall.KlBackward call) {
    int cols = call.cols();
    double[] row = new double[cols];
    double[] target = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.logits(), r * cols, row, cols);
      ScalarRows.load(call.teacher(), r * cols, target, cols);
      double rowLse = call.lse().get(r);
      double targetLse = call.teacherLse().get(r);
      double scale = call.dloss().get(r);
      for (int c = 0; c < cols; c++) {
        row[c] = scale * (Math.exp(row[c] - rowLse) - Math.exp(target[c] - targetLse));
      }
      ScalarRows.add(call.dlogits(), r * cols, row, cols);
    }
  }

  private static void argmax(LossCall.Argmax call) {
    int cols = call.cols();
    double[] row = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.logits(), r * cols, row, cols);
      int best = 0;
      for (int c = 1; c < cols; c++) {
        if (row[c] > row[best]) {
          best = c;
        }
      }
      call.index().set(r, best);
      call.lse().set(r, ScalarRows.logSumExp(row, cols));
    }
  }
}
