package dev.sortie.tensor.kernel;

import dev.sortie.tensor.kernel.tile.TiledWeight;

/**
 * The obvious kernels: every element is read as a double, computed in double and rounded once where
 * it is stored, on the calling thread. One code path for F32 and F64; the yardstick for the fast
 * kernel sets, and what gradient checks run on.
 */
public final class ScalarKernels implements Kernels {

  /** Kernels without state; one object may serve any number of threads. */
  public ScalarKernels() {}

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public void run(KernelCall call) {
    switch (call) {
      case ElementwiseCall c -> ScalarElementwise.run(c);
      case MatrixCall c -> ScalarMatrix.run(c);
      case NormCall c -> ScalarNorms.run(c);
      case AttentionCall c -> ScalarAttention.run(c, this);
      case ActivationCall c -> ScalarActivations.run(c);
      case LossCall c -> ScalarLosses.run(c);
      case AdamWCall.Step c -> c.updates().forEach(ScalarElementwise::adamW);
    }
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return ScalarElementwise.sum(call);
  }

  @Override
  public TiledWeight tile(KernelQuery.Tile call) {
    return ScalarTiles.tile(call);
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    return ScalarMatrix.pack(call);
  }
}
