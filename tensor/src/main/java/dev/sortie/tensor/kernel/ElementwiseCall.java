package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;

/** Calls that treat elements one by one. */
public sealed interface ElementwiseCall extends KernelCall {

  /** The operand whose type is the call's: the result, or another of its type. */
  Span y();

  @Override
  default DType dtype() {
    return y().dtype();
  }

  /** {@link Kernels#fill}. */
  record Fill(Span y, double value) implements ElementwiseCall {
    @Override
    public Fill bind(Binding b) {
      return new Fill(b.write(y), value);
    }
  }

  /** {@link Kernels#copy}. */
  record Copy(Span x, Span y) implements ElementwiseCall {
    public Copy {
      Operands.sameLength("copy", x, y);
    }

    @Override
    public Copy bind(Binding b) {
      return new Copy(b.read(x), b.write(y));
    }
  }

  /** {@link Kernels#copyStrided}. */
  record CopyStrided(Span x, Strided layout, Span y) implements ElementwiseCall {
    public CopyStrided {
      if (x.dtype() != y.dtype()) {
        throw new IllegalArgumentException(
            "copyStrided from " + x.dtype() + " to " + y.dtype() + "; the types must be equal");
      }
      if (x.dtype().isQuantised()) {
        throw new IllegalArgumentException(
            "copyStrided of " + x.dtype() + "; elements of a block cannot be copied one by one");
      }
      Operands.view("copyStrided x", x, layout);
      Operands.length("copyStrided y", y, layout.count());
    }

    @Override
    public CopyStrided bind(Binding b) {
      return new CopyStrided(b.read(x), layout, b.write(y));
    }
  }

  /** {@link Kernels#addStrided}. */
  record AddStrided(Span x, Span y, Strided layout) implements ElementwiseCall {
    public AddStrided {
      DType type = Operands.real("addStrided x", x);
      Operands.length("addStrided x", x, layout.count());
      Operands.check("addStrided y", y, type, 0);
      Operands.view("addStrided y", y, layout);
    }

    @Override
    public AddStrided bind(Binding b) {
      return new AddStrided(b.read(x), b.update(y), layout);
    }
  }

  /** {@link Kernels#add}. */
  record Add(Span x, Span y, Span z) implements ElementwiseCall {
    public Add {
      Operands.alike("add", x, y, z);
    }

    @Override
    public Add bind(Binding b) {
      return new Add(b.read(x), b.read(y), b.write(z));
    }
  }

  /** {@link Kernels#mul}. */
  record Mul(Span x, Span y, Span z) implements ElementwiseCall {
    public Mul {
      Operands.alike("mul", x, y, z);
    }

    @Override
    public Mul bind(Binding b) {
      return new Mul(b.read(x), b.read(y), b.write(z));
    }
  }

  /** {@link Kernels#mulAdd}. */
  record MulAdd(Span x, Span y, Span z) implements ElementwiseCall {
    public MulAdd {
      Operands.alike("mulAdd", x, y, z);
    }

    @Override
    public MulAdd bind(Binding b) {
      return new MulAdd(b.read(x), b.read(y), b.update(z));
    }
  }

  /** {@link Kernels#scale}. */
  record Scale(double a, Span x, Span y) implements ElementwiseCall {
    public Scale {
      Operands.alike("scale", x, y);
    }

    @Override
    public Scale bind(Binding b) {
      return new Scale(a, b.read(x), b.write(y));
    }
  }

  /** {@link Kernels#axpy}. */
  record Axpy(double a, Span x, Span y) implements ElementwiseCall {
    public Axpy {
      Operands.alike("axpy", x, y);
    }

    @Override
    public Axpy bind(Binding b) {
      return new Axpy(a, b.read(x), b.update(y));
    }
  }

  /** {@link Kernels#dropout}. */
  record Dropout(DropoutMask mask, Span x, Span y) implements ElementwiseCall {
    public Dropout {
      Operands.alike("dropout", x, y);
    }

    @Override
    public Dropout bind(Binding b) {
      return new Dropout(mask, b.read(x), b.write(y));
    }
  }

  /** {@link Kernels#dropoutAdd}. */
  record DropoutAdd(DropoutMask mask, Span x, Span y) implements ElementwiseCall {
    public DropoutAdd {
      Operands.alike("dropoutAdd", x, y);
    }

    @Override
    public DropoutAdd bind(Binding b) {
      return new DropoutAdd(mask, b.read(x), b.update(y));
    }
  }

  /** {@link Kernels#addScalar}. */
  record AddScalar(double a, Span y) implements ElementwiseCall {
    public AddScalar {
      Operands.real("addScalar", y);
    }

    @Override
    public AddScalar bind(Binding b) {
      return new AddScalar(a, b.update(y));
    }
  }
}
