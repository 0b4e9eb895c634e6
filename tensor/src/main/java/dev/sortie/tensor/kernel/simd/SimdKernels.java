package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.ActivationCall;
import dev.sortie.tensor.kernel.AdamWCall;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.ElementwiseCall;
import dev.sortie.tensor.kernel.KernelCall;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.LossCall;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.NormCall;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.kernel.simd.attention.Attention;
import dev.sortie.tensor.kernel.simd.gemm.PackedPanels;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.kernel.tile.TiledWeight;

/**
 * Kernels on the Vector API, at the widest vectors of this CPU or those that the system property
 * {@code sortie.kernels} forces. They compute in F32.
 *
 * <p>Calls in F64, which only gradient checks make, go to the scalar reference; so do fills, sums
 * and conversions of types that no hot path uses.
 */
public final class SimdKernels implements Kernels {
  private final Kernels reference = new ScalarKernels();
  private final WorkerPool pool;
  private final Matrix matrix;
  private final Attention attention;

  /**
   * Kernels that share their work among the threads of {@code pool}.
   *
   * @throws IllegalStateException if vectors are forced that are wider than the CPU has
   */
  public SimdKernels(WorkerPool pool) {
    Width.check();
    this.pool = pool;
    this.matrix = new Matrix(pool);
    this.attention = new Attention(pool);
  }

  @Override
  public String name() {
    return Width.name();
  }

  @Override
  public void expectRows(int rows) {
    matrix.expectRows(rows);
  }

  @Override
  public void run(KernelCall call) {
    if (!computes(call)) {
      reference.run(call);
      return;
    }
    switch (call) {
      case MatrixCall c -> matrix.run(c);
      case NormCall c -> Norms.run(pool, c);
      case AttentionCall c -> attention.run(c, this);
      case ElementwiseCall c -> ElementwiseKernels.run(pool, c);
      case ActivationCall c -> Activations.run(pool, c);
      case LossCall c -> Losses.run(pool, c);
      case AdamWCall.Step c -> ManyTensors.adamW(pool, c.updates());
    }
  }

  /** Whether there is a loop on vectors for the types of a call. */
  private static boolean computes(KernelCall call) {
    return switch (call) {
      case ElementwiseCall.Copy c -> ElementwiseKernels.copies(c.x().dtype(), c.y().dtype());
      case ElementwiseCall.CopyStrided _ -> true;
      default -> call.dtype() == DType.F32;
    };
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return call.dtype() == DType.F32 ? ManyTensors.sum(pool, call) : reference.sum(call);
  }

  @Override
  public TiledWeight tile(KernelQuery.Tile call) {
    return matrix.tile(call);
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    return call.dtype() == DType.F32 ? PackedPanels.pack(pool, call) : reference.pack(call);
  }
}
