package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.kernel.ScalarElementwise.map;

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
      case ElementwiseCall.Fill c -> ScalarElementwise.fill(c.y(), c.value());
      case ElementwiseCall.Copy c -> ScalarElementwise.copy(c.x(), c.y());
      case ElementwiseCall.CopyStrided c -> ScalarElementwise.copyStrided(c);
      case ElementwiseCall.AddStrided c -> ScalarElementwise.addStrided(c);
      case ElementwiseCall.Add c -> map(c.x(), c.y(), c.z(), Double::sum);
      case ElementwiseCall.Mul c -> map(c.x(), c.y(), c.z(), (x, y) -> x * y);
      case ElementwiseCall.MulAdd c -> ScalarElementwise.mulAdd(c.x(), c.y(), c.z());
      case ElementwiseCall.Scale c -> map(c.x(), c.x(), c.y(), (x, same) -> c.a() * x);
      case ElementwiseCall.Axpy c -> map(c.x(), c.y(), c.y(), (x, y) -> y + c.a() * x);
      case ElementwiseCall.AddScalar c -> map(c.y(), c.y(), c.y(), (y, same) -> y + c.a());
      case MatrixCall.Linear c -> ScalarMatrix.linear(c);
      case MatrixCall.Linears c -> c.each(ScalarMatrix::linear);
      case MatrixCall.PackedLinear c -> {
        c.w().checkLayout(PackedWeight.ROWS, (long) c.w().n() * c.w().k(), name());
        ScalarMatrix.linear(c.unpacked());
      }
      case MatrixCall.Gemm c -> ScalarMatrix.gemm(c);
      case MatrixCall.SumRows c -> ScalarElementwise.sumRows(c);
      case MatrixCall.GatherRows c -> ScalarMatrix.gatherRows(c);
      case MatrixCall.ScatterAddRows c -> ScalarMatrix.scatterAddRows(c);
      case NormCall.RmsNorm c -> ScalarNorms.rmsNorm(c);
      case NormCall.RmsNormBackward c -> ScalarNorms.rmsNormBackward(c);
      case NormCall.LayerNorm c -> ScalarNorms.layerNorm(c);
      case NormCall.LayerNormBackward c -> ScalarNorms.layerNormBackward(c);
      case AttentionCall.Rope c -> ScalarAttention.rope(c);
      case AttentionCall.Attention c -> ScalarAttention.attention(c);
      case AttentionCall.OverRuns c -> c.joined(this);
      case AttentionCall.OfSequences c -> c.sequences().forEach(this::run);
      case AttentionCall.AttentionBackward c -> ScalarAttention.attentionBackward(c);
      case ActivationCall.Swiglu c -> ScalarActivations.swiglu(c);
      case ActivationCall.SwigluBackward c -> ScalarActivations.swigluBackward(c);
      case ActivationCall.Gelu c -> ScalarActivations.gelu(c);
      case ActivationCall.GeluBackward c -> ScalarActivations.geluBackward(c);
      case ActivationCall.Softmax c -> ScalarLosses.softmax(c);
      case ActivationCall.SoftmaxBackward c -> ScalarLosses.softmaxBackward(c);
      case LossCall.CrossEntropy c -> ScalarLosses.crossEntropy(c);
      case LossCall.CrossEntropyBackward c -> ScalarLosses.crossEntropyBackward(c);
      case LossCall.Kl c -> ScalarLosses.kl(c);
      case LossCall.KlBackward c -> ScalarLosses.klBackward(c);
      case LossCall.CrossEntropyGradient c -> ScalarLossGradients.crossEntropy(c);
      case LossCall.LogSoftmax c -> ScalarLossGradients.logSoftmax(c);
      case LossCall.KlGradient c -> ScalarLossGradients.kl(c);
      case LossCall.Argmax c -> ScalarLosses.argmax(c);
      case AdamW.Step c -> c.updates().forEach(ScalarElementwise::adamW);
    }
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return ScalarElementwise.sum(call);
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    return ScalarMatrix.pack(call);
  }
}
