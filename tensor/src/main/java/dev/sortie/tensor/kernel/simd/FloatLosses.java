package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.I32;
import static dev.sortie.tensor.kernel.Operands.check;
import static dev.sortie.tensor.kernel.simd.FloatOperands.matrices;
import static dev.sortie.tensor.kernel.simd.FloatOperands.vectors;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.memory.Span;

/**
 * Softmax and losses over rows in F32: checks operands; the loops are in {@link Losses} and {@link
 * LossGradients}.
 */
final class FloatLosses {
  private final WorkerPool pool;

  FloatLosses(WorkerPool pool) {
    this.pool = pool;
  }

  void softmax(Span x, Span y, int rows, int cols) {
    matrices("softmax", rows, cols, x, y);
    Losses.softmax(pool, x.address(), y.address(), rows, cols);
  }

  void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    matrices("softmaxBackward", rows, cols, y, dy, dx);
    Losses.softmaxBackward(pool, y.address(), dy.address(), dx.address(), rows, cols);
  }

  void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    matrices("crossEntropy logits", rows, cols, logits);
    check("crossEntropy targets", targets, I32, rows);
    vectors("crossEntropy loss and lse", rows, loss, lse);
    Losses.crossEntropy(pool, logits.address(), targets, loss.address(), lse.address(), rows, cols);
  }

  void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    matrices("crossEntropyBackward logits and dlogits", rows, cols, logits, dlogits);
    check("crossEntropyBackward targets", targets, I32, rows);
    vectors("crossEntropyBackward lse and dloss", rows, lse, dloss);
    Losses.crossEntropyBackward(
        pool,
        logits.address(),
        targets,
        lse.address(),
        dloss.address(),
        dlogits.address(),
        rows,
        cols);
  }

  void kl(Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols) {
    matrices("kl logits and teacher", rows, cols, logits, teacher);
    vectors("kl loss, lse and teacherLse", rows, loss, lse, teacherLse);
    Losses.kl(
        pool,
        logits.address(),
        teacher.address(),
        loss.address(),
        lse.address(),
        teacherLse.address(),
        rows,
        cols);
  }

  void klBackward(
      Span logits,
      Span teacher,
      Span lse,
      Span teacherLse,
      Span dloss,
      Span dlogits,
      int rows,
      int cols) {
    matrices("klBackward logits, teacher and dlogits", rows, cols, logits, teacher, dlogits);
    vectors("klBackward lse, teacherLse and dloss", rows, lse, teacherLse, dloss);
    Losses.klBackward(
        pool,
        logits.address(),
        teacher.address(),
        lse.address(),
        teacherLse.address(),
        dloss.address(),
        dlogits.address(),
        rows,
        cols);
  }

  void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    matrices("crossEntropyGradient logits", rows, cols, logits);
    check("crossEntropyGradient targets", targets, I32, rows);
    vectors("crossEntropyGradient weight and loss", rows, weight, loss);
    int[] target = Losses.targets(targets, rows, cols);
    LossGradients.crossEntropy(
        pool, logits.address(), target, weight.address(), loss.address(), rows, cols, confident);
  }

  void logSoftmax(Span x, Span p, int rows, int cols) {
    matrices("logSoftmax x and p", rows, cols, x, p);
    LossGradients.logSoftmax(pool, x.address(), p.address(), rows, cols);
  }

  void klGradient(
      Span logits,
      Span logP,
      Span p,
      Span weight,
      Span loss,
      int rows,
      int cols,
      boolean confident) {
    matrices("klGradient logits, logP and p", rows, cols, logits, logP, p);
    vectors("klGradient weight and loss", rows, weight, loss);
    LossGradients.kl(
        pool,
        logits.address(),
        logP.address(),
        p.address(),
        weight.address(),
        loss.address(),
        rows,
        cols,
        confident);
  }

  void argmax(Span x, Span index, Span lse, int rows, int cols) {
    matrices("argmax x", rows, cols, x);
    check("argmax index", index, I32, rows);
    vectors("argmax lse", rows, lse);
    Losses.argmax(pool, x.address(), index.address(), lse.address(), rows, cols);
  }
}
