package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;

/** Activations and their gradients. */
public sealed interface ActivationCall extends KernelCall {

  /** {@link Kernels#swiglu}. */
  record Swiglu(Span gate, Span up, Span y) implements ActivationCall {
    public Swiglu {
      Operands.alike("swiglu", gate, up, y);
    }

    @Override
    public DType dtype() {
      return y.dtype();
    }

    @Override
    public Swiglu bind(Binding b) {
      return new Swiglu(b.read(gate), b.read(up), b.write(y));
    }
  }

  /** {@link Kernels#swigluBackward}. */
  record SwigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup)
      implements ActivationCall {
    public SwigluBackward {
      Operands.alike("swigluBackward", gate, up, dy, dgate, dup);
    }

    @Override
    public DType dtype() {
      return dy.dtype();
    }

    @Override
    public SwigluBackward bind(Binding b) {
      return new SwigluBackward(b.read(gate), b.read(up), b.read(dy), b.write(dgate), b.write(dup));
    }
  }

  /** {@link Kernels#gelu}. */
  record Gelu(Span x, Span y, boolean tanh) implements ActivationCall {
    public Gelu {
      Operands.alike("gelu", x, y);
    }

    @Override
    public DType dtype() {
      return y.dtype();
    }

    @Override
    public Gelu bind(Binding b) {
      return new Gelu(b.read(x), b.write(y), tanh);
    }
  }

  /** {@link Kernels#geluBackward}. */
  record GeluBackward(Span x, Span dy, Span dx, boolean tanh) implements ActivationCall {
    public GeluBackward {
      Operands.alike("geluBackward", x, dy, dx);
    }

    @Override
    public DType dtype() {
      return dy.dtype();
    }

    @Override
    public GeluBackward bind(Binding b) {
      return new GeluBackward(b.read(x), b.read(dy), b.update(dx), tanh);
    }
  }

  /** {@link Kernels#softmax}. */
  record Softmax(Span x, Span y, int rows, int cols) implements ActivationCall {
    public Softmax {
      Operands.matrices("softmax", rows, cols, x, y);
    }

    @Override
    public DType dtype() {
      return y.dtype();
    }

    @Override
    public Softmax bind(Binding b) {
      return new Softmax(b.read(x), b.write(y), rows, cols);
    }
  }

  /** {@link Kernels#softmaxBackward}. */
  record SoftmaxBackward(Span y, Span dy, Span dx, int rows, int cols) implements ActivationCall {
    public SoftmaxBackward {
      Operands.matrices("softmaxBackward", rows, cols, y, dy, dx);
    }

    @Override
    public DType dtype() {
      return dy.dtype();
    }

    @Override
    public SoftmaxBackward bind(Binding b) {
      return new SoftmaxBackward(b.read(y), b.read(dy), b.update(dx), rows, cols);
    }
  }
}
