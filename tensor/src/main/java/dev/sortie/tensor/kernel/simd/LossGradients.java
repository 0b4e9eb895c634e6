package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.LossCall;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Exponentials;
import dev.sortie.tensor.kernel.simd.vector.Split;

/**
 * Losses over logits that turn the logits into their gradient, one row a call. A row of a usual
 * vocabulary stays in the L1 or L2 cache between its passes, so memory is read and written once.
 * Sums run in blocks of {@link Split#BLOCK}, added in double.
 */
final class LossGradients {
  private LossGradients() {}

  static void crossEntropy(WorkerPool pool, LossCall.CrossEntropyGradient call) {
    long logits = call.logits().address();
    long targets = call.targets().address();
    long weight = call.weight().address();
    long loss = call.loss().address();
    int rows = call.rows();
    int cols = call.cols();
    boolean confident = call.confident();
    pool.range(
        rows,
        Split.grain(cols),
        (from, to) -> {
          for (int r = from; r < to; r++) {
            long row = logits + 4L * r * cols;
            int target = Losses.target(targets, r);
            float result = 0;
            if (target < 0) {
              Elementwise.fill(row, cols, 0f);
            } else {
              result = crossEntropyRow(row, target, weight + 4L * r, cols, confident);
            }
            set(loss + 4L * r, result);
          }
        });
  }

  private static float crossEntropyRow(
      long row, int target, long weight, int cols, boolean confident) {
    float own = get(row + 4L * target);
    float max = Exponentials.max(row, cols);
    double sum = exponentials(row, row, cols, max);
    float w = weighed(weight, sum, confident);
    Elementwise.scale((float) (w / sum), row, row, cols);
    set(row + 4L * target, get(row + 4L * target) - w);
    return (float) (StrictMath.log(sum) + max - own);
  }

  /** The largest probability of a row is {@code e^0 / sum}. */
  private static float weighed(long weight, double sum, boolean confident) {
    if (confident) {
      set(weight, (float) (get(weight) / sum));
    }
    return get(weight);
  }

  /** {@code y = e^(x - max)}; returns the sum. */
  private static double exponentials(long x, long y, int cols, float max) {
    double sum = 0;
    for (long from = 0; from < cols; from += Split.BLOCK) {
      long count = Math.min(Split.BLOCK, cols - from);
      sum += Exponentials.sumAndStore(x + 4 * from, y + 4 * from, count, max);
    }
    return sum;
  }

  static void logSoftmax(WorkerPool pool, LossCall.LogSoftmax call) {
    long x = call.logits().address();
    long p = call.p().address();
    int rows = call.rows();
    int cols = call.cols();
    pool.range(
        rows,
        Split.grain(cols),
        (from, to) -> {
          for (int r = from; r < to; r++) {
            long at = 4L * r * cols;
            float max = Exponentials.max(x + at, cols);
            double sum = exponentials(x + at, p + at, cols, max);
            Elementwise.scale((float) (1 / sum), p + at, p + at, cols);
            Elementwise.addScalar((float) -(StrictMath.log(sum) + max), x + at, cols);
          }
        });
  }

  static void kl(WorkerPool pool, LossCall.KlGradient call) {
    long logits = call.logits().address();
    long logP = call.logP().address();
    long p = call.p().address();
    long weight = call.weight().address();
    long loss = call.loss().address();
    int rows = call.rows();
    int cols = call.cols();
    boolean confident = call.confident();
    pool.range(
        rows,
        Split.grain(cols),
        (from, to) -> {
          for (int r = from; r < to; r++) {
            long at = 4L * r * cols;
            set(
                loss + 4L * r,
                klRow(logits + at, logP + at, p + at, weight + 4L * r, cols, confident));
          }
        });
  }

  private static float klRow(
      long row, long logP, long p, long weight, int cols, boolean confident) {
    float max = Exponentials.max(row, cols);
    double sum = 0;
    for (long from = 0; from < cols; from += Split.BLOCK) {
      sum += Exponentials.sum(row + 4 * from, Math.min(Split.BLOCK, cols - from), max);
    }
    float lse = (float) (StrictMath.log(sum) + max);
    double divergence = 0;
    for (long from = 0; from < cols; from += Split.BLOCK) {
      long count = Math.min(Split.BLOCK, cols - from);
      divergence +=
          Exponentials.divergence(row + 4 * from, logP + 4 * from, p + 4 * from, lse, count);
    }
    Exponentials.difference(weighed(weight, sum, confident), row, lse, p, cols);
    return (float) divergence;
  }
}
