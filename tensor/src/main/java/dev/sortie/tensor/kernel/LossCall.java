package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;

/** Losses over rows of logits, their gradients, and the choice of the largest. */
public sealed interface LossCall extends KernelCall {

  /** The logits, {@code [rows, cols]}. */
  Span logits();

  /** Rows. */
  int rows();

  /** Columns: the vocabulary. */
  int cols();

  @Override
  default DType dtype() {
    return logits().dtype();
  }

  /** {@link Kernels#crossEntropy}. */
  record CrossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols)
      implements LossCall {
    public CrossEntropy {
      DType type = Operands.matrices("crossEntropy logits", rows, cols, logits);
      Operands.all("crossEntropy loss and lse", type, rows, loss, lse);
      Operands.targets(targets, rows, cols);
    }

    @Override
    public CrossEntropy bind(Binding b) {
      return new CrossEntropy(
          b.read(logits), b.read(targets), b.write(loss), b.write(lse), rows, cols);
    }
  }

  /** {@link Kernels#crossEntropyBackward}. */
  record CrossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols)
      implements LossCall {
    public CrossEntropyBackward {
      DType type =
          Operands.matrices("crossEntropyBackward logits and dlogits", rows, cols, logits, dlogits);
      Operands.all("crossEntropyBackward lse and dloss", type, rows, lse, dloss);
      Operands.targets(targets, rows, cols);
    }

    @Override
    public CrossEntropyBackward bind(Binding b) {
      return new CrossEntropyBackward(
          b.read(logits),
          b.read(targets),
          b.read(lse),
          b.read(dloss),
          b.update(dlogits),
          rows,
          cols);
    }
  }

  /** {@link Kernels#kl}. */
  record Kl(Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols)
      implements LossCall {
    public Kl {
      DType type = Operands.matrices("kl logits and teacher", rows, cols, logits, teacher);
      Operands.all("kl loss, lse and teacherLse", type, rows, loss, lse, teacherLse);
    }

    @Override
    public Kl bind(Binding b) {
      return new Kl(
          b.read(logits),
          b.read(teacher),
          b.write(loss),
          b.write(lse),
          b.write(teacherLse),
          rows,
          cols);
    }
  }

  /** {@link Kernels#klBackward}. */
  record KlBackward(
      Span logits,
      Span teacher,
      Span lse,
      Span teacherLse,
      Span dloss,
      Span dlogits,
      int rows,
      int cols)
      implements LossCall {
    public KlBackward {
      DType type =
          Operands.matrices(
              "klBackward logits, teacher and dlogits", rows, cols, logits, teacher, dlogits);
      Operands.all("klBackward lse, teacherLse and dloss", type, rows, lse, teacherLse, dloss);
    }

    @Override
    public KlBackward bind(Binding b) {
      return new KlBackward(
          b.read(logits),
          b.read(teacher),
          b.read(lse),
          b.read(teacherLse),
          b.read(dloss),
          b.update(dlogits),
          rows,
          cols);
    }
  }

  /** {@link Kernels#crossEntropyGradient}. */
  record CrossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident)
      implements LossCall {
    public CrossEntropyGradient {
      DType type = Operands.matrices("crossEntropyGradient logits", rows, cols, logits);
      Operands.all("crossEntropyGradient weight and loss", type, rows, weight, loss);
      Operands.targets(targets, rows, cols);
    }

    @Override
    public CrossEntropyGradient bind(Binding b) {
      return new CrossEntropyGradient(
          b.update(logits),
          b.read(targets),
          b.update(weight),
          b.write(loss),
          rows,
          cols,
          confident);
    }
  }

  /** {@link Kernels#logSoftmax}. */
  record LogSoftmax(Span logits, Span p, int rows, int cols) implements LossCall {
    public LogSoftmax {
      Operands.matrices("logSoftmax x and p", rows, cols, logits, p);
    }

    @Override
    public LogSoftmax bind(Binding b) {
      return new LogSoftmax(b.update(logits), b.write(p), rows, cols);
    }
  }

  /** {@link Kernels#klGradient}. */
  record KlGradient(
      Span logits, Span logP, Span p, Span weight, Span loss, int rows, int cols, boolean confident)
      implements LossCall {
    public KlGradient {
      DType type = Operands.matrices("klGradient logits, logP and p", rows, cols, logits, logP, p);
      Operands.all("klGradient weight and loss", type, rows, weight, loss);
    }

    @Override
    public KlGradient bind(Binding b) {
      return new KlGradient(
          b.update(logits),
          b.read(logP),
          b.read(p),
          b.update(weight),
          b.write(loss),
          rows,
          cols,
          confident);
    }
  }

  /** {@link Kernels#argmax}. */
  record Argmax(Span logits, Span index, Span lse, int rows, int cols) implements LossCall {
    public Argmax {
      DType type = Operands.matrices("argmax x", rows, cols, logits);
      Operands.check("argmax index", index, DType.I32, rows);
      Operands.check("argmax lse", lse, type, rows);
    }

    @Override
    public Argmax bind(Binding b) {
      return new Argmax(b.read(logits), b.write(index), b.write(lse), rows, cols);
    }
  }
}
