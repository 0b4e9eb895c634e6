package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.FloatOperands.matrices;
import static dev.sortie.tensor.kernel.simd.FloatOperands.orZero;
import static dev.sortie.tensor.kernel.simd.FloatOperands.vectors;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.memory.Span;

/** Normalisations in F32: checks operands; the loops are in {@link Norms}. */
final class FloatNorms {
  private final WorkerPool pool;

  FloatNorms(WorkerPool pool) {
    this.pool = pool;
  }

  void rms(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols) {
    matrices("rmsNorm", rows, cols, x, y);
    vectors("rmsNorm w", cols, w);
    vectors("rmsNorm rstd", rows, rstd);
    Norms.rms(pool, x.address(), w.address(), eps, y.address(), rstd.address(), rows, cols);
  }

  void rmsBackward(Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    matrices("rmsNormBackward", rows, cols, x, dy, dx);
    vectors("rmsNormBackward w", cols, w, dw);
    vectors("rmsNormBackward rstd", rows, rstd);
    Norms.rmsBackward(
        pool,
        x.address(),
        w.address(),
        rstd.address(),
        dy.address(),
        orZero(dx),
        orZero(dw),
        rows,
        cols);
  }

  void layer(Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    matrices("layerNorm", rows, cols, x, y);
    vectors("layerNorm w and b", cols, w, b);
    vectors("layerNorm mean and rstd", rows, mean, rstd);
    Norms.layer(
        pool,
        x.address(),
        w.address(),
        orZero(b),
        eps,
        y.address(),
        mean.address(),
        rstd.address(),
        rows,
        cols);
  }

  void layerBackward(
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
    matrices("layerNormBackward", rows, cols, x, dy, dx);
    vectors("layerNormBackward w, dw and db", cols, w, dw, db);
    vectors("layerNormBackward mean and rstd", rows, mean, rstd);
    Norms.layerBackward(
        pool,
        x.address(),
        w.address(),
        mean.address(),
        rstd.address(),
        dy.address(),
        orZero(dx),
        orZero(dw),
        rows,
        cols);
  }
}
