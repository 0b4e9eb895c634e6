package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;

/** Normalisations of rows. */
public sealed interface NormCall extends KernelCall {

  /** What is normalised, {@code [rows, cols]}. */
  Span x();

  /** Rows. */
  int rows();

  /** Columns. */
  int cols();

  @Override
  default DType dtype() {
    return x().dtype();
  }

  /** {@link Kernels#rmsNorm}. */
  record RmsNorm(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols)
      implements NormCall {
    public RmsNorm {
      DType type = Operands.matrices("rmsNorm x and y", rows, cols, x, y);
      Operands.check("rmsNorm w", w, type, cols);
      Operands.check("rmsNorm rstd", rstd, type, rows);
    }

    @Override
    public RmsNorm bind(Binding b) {
      return new RmsNorm(b.read(x), b.read(w), eps, b.write(y), b.write(rstd), rows, cols);
    }
  }

  /** {@link Kernels#rmsNormBackward}; {@code dx} and {@code dw} may be null. */
  record RmsNormBackward(Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols)
      implements NormCall {
    public RmsNormBackward {
      DType type = Operands.matrices("rmsNormBackward x and dy", rows, cols, x, dy);
      Operands.check("rmsNormBackward w", w, type, cols);
      Operands.check("rmsNormBackward rstd", rstd, type, rows);
      Operands.optional("rmsNormBackward dx", dx, type, (long) rows * cols);
      Operands.optional("rmsNormBackward dw", dw, type, cols);
    }

    @Override
    public RmsNormBackward bind(Binding b) {
      return new RmsNormBackward(
          b.read(x), b.read(w), b.read(rstd), b.read(dy), b.update(dx), b.update(dw), rows, cols);
    }
  }

  /** {@link Kernels#layerNorm}; {@code b} may be null. */
  record LayerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols)
      implements NormCall {
    public LayerNorm {
      DType type = Operands.matrices("layerNorm x and y", rows, cols, x, y);
      Operands.check("layerNorm w", w, type, cols);
      Operands.optional("layerNorm b", b, type, cols);
      Operands.all("layerNorm mean and rstd", type, rows, mean, rstd);
    }

    @Override
    public LayerNorm bind(Binding to) {
      return new LayerNorm(
          to.read(x),
          to.read(w),
          to.read(b),
          eps,
          to.write(y),
          to.write(mean),
          to.write(rstd),
          rows,
          cols);
    }
  }

  /** {@link Kernels#layerNormBackward}; {@code dx}, {@code dw} and {@code db} may be null. */
  record LayerNormBackward(
      Span x, Span w, Span mean, Span rstd, Span dy, Span dx, Span dw, Span db, int rows, int cols)
      implements NormCall {
    public LayerNormBackward {
      DType type = Operands.matrices("layerNormBackward x and dy", rows, cols, x, dy);
      Operands.check("layerNormBackward w", w, type, cols);
      Operands.all("layerNormBackward mean and rstd", type, rows, mean, rstd);
      Operands.optional("layerNormBackward dx", dx, type, (long) rows * cols);
      Operands.optional("layerNormBackward dw", dw, type, cols);
      Operands.optional("layerNormBackward db", db, type, cols);
    }

    @Override
    public LayerNormBackward bind(Binding b) {
      return new LayerNormBackward(
          b.read(x),
          b.read(w),
          b.read(mean),
          b.read(rstd),
          b.read(dy),
          b.update(dx),
          b.update(dw),
          b.update(db),
          rows,
          cols);
    }
  }
}
