package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.ActivationCall;
import dev.sortie.tensor.kernel.LossCall;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Exponentials;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;
import dev.sortie.tensor.kernel.simd.vector.VectorMath;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Softmax, the losses over logits and argmax. Long rows (a vocabulary) are cut into blocks that
 * stay in the L1 cache; (row, block) pairs are what threads share, and blocks are combined in
 * order, so even one row uses all threads and gets the same bits on any number of them.
 */
final class Losses {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long LANES = F.length();

  private Losses() {}

  static void run(WorkerPool pool, LossCall call) {
    switch (call) {
      case LossCall.Argmax c -> argmax(pool, c);
      case LossCall.CrossEntropy c -> crossEntropy(pool, c);
      case LossCall.CrossEntropyBackward c -> crossEntropyBackward(pool, c);
      case LossCall.Kl c -> kl(pool, c);
      case LossCall.KlBackward c -> klBackward(pool, c);
      case LossCall.CrossEntropyGradient c -> LossGradients.crossEntropy(pool, c);
      case LossCall.LogSoftmax c -> LossGradients.logSoftmax(pool, c);
      case LossCall.KlGradient c -> LossGradients.kl(pool, c);
    }
  }

  /**
   * Work on elements {@code [from, from + count)} of row {@code r}, which are block {@code b} of
   * all.
   */
  @FunctionalInterface
  private interface Block {
    void run(int r, long from, long count, int b);
  }

  private static void blocks(WorkerPool pool, int rows, int cols, Block task) {
    int perRow = Split.blocks(cols);
    pool.range(
        Math.multiplyExact(rows, perRow),
        Split.grain(Math.min(cols, Split.BLOCK)),
        (from, to) -> {
          for (int b = from; b < to; b++) {
            long start = (long) (b % perRow) * Split.BLOCK;
            task.run(b / perRow, start, Math.min(Split.BLOCK, cols - start), b);
          }
        });
  }

  /** Per row the largest element and the log-sum-exp. */
  private record RowStats(float[] max, double[] lse) {}

  private static RowStats stats(WorkerPool pool, long x, int rows, int cols) {
    int perRow = Split.blocks(cols);
    float[] maxima = new float[Math.multiplyExact(rows, perRow)];
    float[] sums = new float[maxima.length];
    blocks(
        pool,
        rows,
        cols,
        (r, from, count, b) -> {
          long at = x + 4 * ((long) r * cols + from);
          maxima[b] = Exponentials.max(at, count);
          sums[b] = Exponentials.sum(at, count, maxima[b]);
        });
    RowStats stats = new RowStats(new float[rows], new double[rows]);
    for (int r = 0; r < rows; r++) {
      float max = Float.NEGATIVE_INFINITY;
      for (int b = r * perRow; b < (r + 1) * perRow; b++) {
        max = Math.max(max, maxima[b]);
      }
      double sum = 0;
      for (int b = r * perRow; b < (r + 1) * perRow; b++) {
        if (maxima[b] != Float.NEGATIVE_INFINITY) {
          sum += (double) sums[b] * VectorMath.exp(maxima[b] - max);
        }
      }
      stats.max[r] = max;
      stats.lse[r] = max + StrictMath.log(sum);
    }
    return stats;
  }

  static void softmax(WorkerPool pool, ActivationCall.Softmax call) {
    long x = call.x().address();
    long y = call.y().address();
    int rows = call.rows();
    int cols = call.cols();
    pool.range(
        rows,
        Split.grain(cols),
        (from, to) -> {
          for (long r = from; r < to; r++) {
            long at = 4 * r * cols;
            float sum =
                Exponentials.sumAndStore(x + at, y + at, cols, Exponentials.max(x + at, cols));
            Elementwise.scale(1f / sum, y + at, y + at, cols);
          }
        });
  }

  static void softmaxBackward(WorkerPool pool, ActivationCall.SoftmaxBackward call) {
    long y = call.y().address();
    long dy = call.dy().address();
    long dx = call.dx().address();
    int rows = call.rows();
    int cols = call.cols();
    pool.range(
        rows,
        Split.grain(cols),
        (from, to) -> {
          for (long r = from; r < to; r++) {
            long at = 4 * r * cols;
            softmaxBackwardRow(y + at, dy + at, Sums.dot(y + at, dy + at, cols), dx + at, cols);
          }
        });
  }

  private static void softmaxBackwardRow(long y, long dy, float mean, long dx, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * i, ORDER)
          .sub(mean)
          .fma(
              FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER),
              FloatVector.fromMemorySegment(F, MEMORY, dx + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, dx + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(dx + 4 * i, Math.fma(get(dy + 4 * i) - mean, get(y + 4 * i), get(dx + 4 * i)));
    }
  }

  private static void crossEntropy(WorkerPool pool, LossCall.CrossEntropy call) {
    long logits = call.logits().address();
    long loss = call.loss().address();
    long lse = call.lse().address();
    int rows = call.rows();
    int cols = call.cols();
    long targets = call.targets().address();
    RowStats stats = stats(pool, logits, rows, cols);
    for (int r = 0; r < rows; r++) {
      int target = target(targets, r);
      set(lse + 4L * r, (float) stats.lse[r]);
      double own = target < 0 ? stats.lse[r] : get(logits + 4 * ((long) r * cols + target));
      set(loss + 4L * r, target < 0 ? 0f : (float) (stats.lse[r] - own));
    }
  }

  private static void crossEntropyBackward(WorkerPool pool, LossCall.CrossEntropyBackward call) {
    long logits = call.logits().address();
    long lse = call.lse().address();
    long dloss = call.dloss().address();
    long dlogits = call.dlogits().address();
    int rows = call.rows();
    int cols = call.cols();
    long targets = call.targets().address();
    blocks(
        pool,
        rows,
        cols,
        (r, from, count, b) -> {
          int target = target(targets, r);
          if (target < 0) {
            return;
          }
          long at = 4 * ((long) r * cols + from);
          float scale = get(dloss + 4L * r);
          Exponentials.addScaled(scale, logits + at, get(lse + 4L * r), dlogits + at, count);
          if (target >= from && target < from + count) {
            long own = dlogits + at + 4 * (target - from);
            set(own, get(own) - scale);
          }
        });
  }

  /** The target of row {@code r}; a negative one means "ignore". */
  static int target(long targets, int r) {
    return MEMORY.get(JAVA_INT_UNALIGNED, targets + 4L * r);
  }

  private static void kl(WorkerPool pool, LossCall.Kl call) {
    long logits = call.logits().address();
    long teacher = call.teacher().address();
    long loss = call.loss().address();
    long lse = call.lse().address();
    long teacherLse = call.teacherLse().address();
    int rows = call.rows();
    int cols = call.cols();
    RowStats student = stats(pool, logits, rows, cols);
    RowStats target = stats(pool, teacher, rows, cols);
    int perRow = Split.blocks(cols);
    float[] parts = new float[Math.multiplyExact(rows, perRow)];
    blocks(
        pool,
        rows,
        cols,
        (r, from, count, b) -> {
          long at = 4 * ((long) r * cols + from);
          float shift = (float) target.lse[r];
          float gap = (float) (target.lse[r] - student.lse[r]);
          parts[b] = Exponentials.divergence(logits + at, teacher + at, shift, gap, count);
        });
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int b = r * perRow; b < (r + 1) * perRow; b++) {
        sum += parts[b];
      }
      set(loss + 4L * r, (float) sum);
      set(lse + 4L * r, (float) student.lse[r]);
      set(teacherLse + 4L * r, (float) target.lse[r]);
    }
  }

  private static void klBackward(WorkerPool pool, LossCall.KlBackward call) {
    long logits = call.logits().address();
    long teacher = call.teacher().address();
    long lse = call.lse().address();
    long teacherLse = call.teacherLse().address();
    long dloss = call.dloss().address();
    long dlogits = call.dlogits().address();
    int rows = call.rows();
    int cols = call.cols();
    blocks(
        pool,
        rows,
        cols,
        (r, from, count, b) -> {
          long at = 4 * ((long) r * cols + from);
          float scale = get(dloss + 4L * r);
          Exponentials.addScaled(scale, logits + at, get(lse + 4L * r), dlogits + at, count);
          Exponentials.addScaled(
              -scale, teacher + at, get(teacherLse + 4L * r), dlogits + at, count);
        });
  }

  private static void argmax(WorkerPool pool, LossCall.Argmax call) {
    long x = call.logits().address();
    long index = call.index().address();
    long lse = call.lse().address();
    int rows = call.rows();
    int cols = call.cols();
    RowStats stats = stats(pool, x, rows, cols);
    for (int r = 0; r < rows; r++) {
      set(lse + 4L * r, (float) stats.lse[r]);
      int best = first(x + 4L * r * cols, cols, stats.max[r]);
      MEMORY.set(JAVA_INT_UNALIGNED, index + 4L * r, best);
    }
  }

  /**
   * Index of the first element equal to {@code max}. A NaN equals nothing: then NaNs are skipped,
   * as comparing one by one does.
   */
  private static int first(long x, int n, float max) {
    int i = 0;
    for (; i <= n - LANES; i += Width.LANES) {
      if (FloatVector.fromMemorySegment(F, MEMORY, x + 4L * i, ORDER).eq(max).anyTrue()) {
        break;
      }
    }
    for (; i < n; i++) {
      if (get(x + 4L * i) == max) {
        return i;
      }
    }
    int best = 0;
    for (i = 1; i < n; i++) {
      if (get(x + 4L * i) > get(x + 4L * best)) {
        best = i;
      }
    }
    return best;
  }
}
