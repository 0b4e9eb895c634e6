package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.ActivationCall;
import dev.sortie.tensor.kernel.AdamW;
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
import dev.sortie.tensor.kernel.simd.attention.AttentionBackward;
import dev.sortie.tensor.kernel.simd.attention.Rope;
import dev.sortie.tensor.kernel.simd.gemm.PackedPanels;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Sums;
import dev.sortie.tensor.kernel.simd.vector.Width;

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
  private final AttentionBackward attentionBackward;

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
    this.attentionBackward = new AttentionBackward(pool);
  }

  @Override
  public String name() {
    return Width.name();
  }

  /** Cases in the order of how often decoding and training make these calls. */
  @Override
  public void run(KernelCall call) {
    if (call.dtype() == DType.F64) {
      reference.run(call);
      return;
    }
    switch (call) {
      case MatrixCall.Linear c -> matrix.linear(c);
      case MatrixCall.Linears c -> matrix.linears(c);
      case NormCall.RmsNorm c -> Norms.rms(pool, c);
      case AttentionCall.Rope c -> Rope.run(pool, c);
      case AttentionCall.OverRuns c -> attention.overRuns(c, this);
      case AttentionCall.OfSequences c -> attention.ofSequences(c, this);
      case AttentionCall.Attention c -> attention.forward(c);
      case ActivationCall.Swiglu c ->
          ThreeRuns.of(pool, c.gate(), c.up(), c.y(), Activations::swiglu);
      case ElementwiseCall.Add c -> ThreeRuns.of(pool, c.x(), c.y(), c.z(), Elementwise::add);
      case ElementwiseCall.Copy c when Copies.supports(c) -> Copies.run(pool, c);
      case ElementwiseCall.Copy c -> reference.run(c);
      case LossCall.Argmax c -> Losses.argmax(pool, c);
      case MatrixCall.GatherRows c -> Embedding.gather(pool, c);
      case MatrixCall.PackedLinear c -> matrix.packedLinear(c);
      case MatrixCall.Gemm c -> matrix.gemm(c);
      case ElementwiseCall.CopyStrided c -> StridedCopies.copy(pool, c);
      case ElementwiseCall.AddStrided c -> StridedCopies.add(pool, c);
      case ElementwiseCall.Fill c when c.y().dtype() == DType.F32 -> Copies.fill(pool, c);
      case ElementwiseCall.Fill c -> reference.run(c);
      case ElementwiseCall.Mul c -> ThreeRuns.of(pool, c.x(), c.y(), c.z(), Elementwise::mul);
      case ElementwiseCall.MulAdd c -> ThreeRuns.of(pool, c.x(), c.y(), c.z(), Elementwise::mulAdd);
      case ElementwiseCall.Scale c -> {
        float a = (float) c.a();
        ThreeRuns.of(pool, c.x(), c.x(), c.y(), (x, same, y, n) -> Elementwise.scale(a, x, y, n));
      }
      case ElementwiseCall.Axpy c -> {
        float a = (float) c.a();
        ThreeRuns.of(pool, c.x(), c.x(), c.y(), (x, same, y, n) -> Elementwise.axpy(a, x, y, n));
      }
      case ElementwiseCall.AddScalar c -> {
        float a = (float) c.a();
        ThreeRuns.of(
            pool, c.y(), c.y(), c.y(), (same, again, y, n) -> Elementwise.addScalar(a, y, n));
      }
      case MatrixCall.SumRows c -> Sums.rows(pool, c.x(), c.y(), c.rows(), c.cols());
      case MatrixCall.ScatterAddRows c -> Embedding.scatterAdd(pool, c);
      case NormCall.RmsNormBackward c -> Norms.rmsBackward(pool, c);
      case NormCall.LayerNorm c -> Norms.layer(pool, c);
      case NormCall.LayerNormBackward c -> Norms.layerBackward(pool, c);
      case AttentionCall.AttentionBackward c -> attentionBackward.run(c);
      case ActivationCall.SwigluBackward c -> Activations.swigluBackward(pool, c);
      case ActivationCall.Gelu c ->
          ThreeRuns.of(
              pool,
              c.x(),
              c.x(),
              c.y(),
              c.tanh()
                  ? (x, same, y, n) -> Activations.geluTanh(x, y, n)
                  : (x, same, y, n) -> Activations.geluExact(x, y, n));
      case ActivationCall.GeluBackward c ->
          ThreeRuns.of(
              pool,
              c.x(),
              c.dy(),
              c.dx(),
              c.tanh() ? Activations::geluTanhBackward : Activations::geluExactBackward);
      case ActivationCall.Softmax c -> Losses.softmax(pool, c);
      case ActivationCall.SoftmaxBackward c -> Losses.softmaxBackward(pool, c);
      case LossCall.CrossEntropy c -> Losses.crossEntropy(pool, c);
      case LossCall.CrossEntropyBackward c -> Losses.crossEntropyBackward(pool, c);
      case LossCall.Kl c -> Losses.kl(pool, c);
      case LossCall.KlBackward c -> Losses.klBackward(pool, c);
      case LossCall.CrossEntropyGradient c -> LossGradients.crossEntropy(pool, c);
      case LossCall.LogSoftmax c -> LossGradients.logSoftmax(pool, c);
      case LossCall.KlGradient c -> LossGradients.kl(pool, c);
      case AdamW.Step c -> ManyTensors.adamW(pool, c.updates());
    }
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return call.dtype() == DType.F32 ? ManyTensors.sum(pool, call) : reference.sum(call);
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    return call.dtype() == DType.F32 ? PackedPanels.pack(pool, call) : reference.pack(call);
  }
}
