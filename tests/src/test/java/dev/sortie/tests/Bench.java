package dev.sortie.tests;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Workspace;

/**
 * What a test computes with: a device, memory that lives as long as the test, and ops over a
 * workspace.
 */
record Bench(Device device, NativeArena arena, Ops ops) implements AutoCloseable {

  static Bench open(int threads) {
    Device device = Device.cpu(threads);
    return new Bench(device, new NativeArena("test"), new Ops(device, new Workspace()));
  }

  Kernels kernels() {
    return device.kernels();
  }

  /** A copy of {@code from}, such as a span of a mapped file, in a compute type. */
  Tensor copy(Span from, Shape shape, DType dtype) {
    Tensor to = Tensor.allocate(arena, dtype, shape);
    kernels().copy(from, to.span());
    return to;
  }

  /** Token ids of a mapped file. */
  Tensor ids(Span from, Shape shape) {
    Tensor to = Tensor.allocate(arena, DType.I32, shape);
    to.span().segment().copyFrom(from.segment());
    return to;
  }

  @Override
  public void close() {
    ops.workspace().close();
    arena.close();
    device.close();
  }
}
