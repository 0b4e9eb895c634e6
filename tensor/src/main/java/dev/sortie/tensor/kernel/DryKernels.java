package dev.sortie.tensor.kernel;

import dev.sortie.tensor.kernel.tile.TiledWeight;

/**
 * Kernels that compute nothing: operands are checked when a call is made, and what it would have
 * written keeps what it held. For walking through a program to see what it allocates. Sums are 0.
 */
public final class DryKernels implements Kernels {

  /** Kernels without state; one object may serve any number of threads. */
  public DryKernels() {}

  @Override
  public String name() {
    return "dry";
  }

  @Override
  public void run(KernelCall call) {
    // computes nothing
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return 0;
  }

  @Override
  public TiledWeight tile(KernelQuery.Tile call) {
    return call.allocate(2);
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    long elements = (long) call.n() * call.k();
    var values = call.memory().allocate(call.dtype(), elements).span();
    return new PackedWeight(PackedWeight.ROWS, values, call.n(), call.k());
  }
}
