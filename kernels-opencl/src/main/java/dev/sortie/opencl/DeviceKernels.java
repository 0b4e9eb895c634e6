package dev.sortie.opencl;

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
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * What a device computes, whether it is trusted or not: {@link OpenClKernels} asks for a kernel's
 * {@link Certification} first, trials and tuning do not. Calls for which there is no {@link
 * #kernel} fail.
 */
final class DeviceKernels implements Kernels {
  /** The layout of weights that the device packs. */
  static final String LAYOUT = "opencl rows";

  /** There is no kernel: the host computes. */
  static final String NONE = "";

  private final Engine engine;
  private final DeviceRows rows;
  private final DeviceMatrix matrix;
  private final DeviceGradients gradients;
  private final DeviceSums sums;

  DeviceKernels(Engine engine) {
    this.engine = engine;
    this.rows = new DeviceRows(engine);
    this.matrix = new DeviceMatrix(engine);
    this.gradients = new DeviceGradients(engine);
    this.sums = new DeviceSums(engine);
  }

  @Override
  public String name() {
    Preset preset = engine.preset();
    return "opencl "
        + preset.name()
        + (preset.tuned() ? ", tuned, on " : " on ")
        + engine.session().device().about().name();
  }

  /** The kernel that computes a call, as {@link Certification} names it, or {@link #NONE}. */
  static String kernel(KernelCall call) {
    return switch (call) {
      case ElementwiseCall.Copy c -> copying(c.x().dtype(), c.y().dtype());
      case ElementwiseCall.CopyStrided c ->
          (c.dtype() == DType.F32 || c.dtype() == DType.I32)
                  && c.layout().shape().length <= DeviceRows.DIMS
              ? "copy_strided"
              : NONE;
      case KernelCall c when c.dtype() != DType.F32 -> NONE;
      case ElementwiseCall.Fill _ -> "fill";
      case ElementwiseCall.AddStrided _ -> NONE;
      case ElementwiseCall.Add _ -> "add";
      case ElementwiseCall.Mul _ -> "mul";
      case ElementwiseCall.MulAdd _ -> "mul_add";
      case ElementwiseCall.Scale _ -> "scale";
      case ElementwiseCall.Axpy _ -> "axpy";
      case ElementwiseCall.AddScalar _ -> "add_scalar";
      case ElementwiseCall.Dropout _ -> "dropout";
      case ElementwiseCall.DropoutAdd _ -> "dropout_add";
      case MatrixCall.Linear c -> weights(c.m() <= ROW_STABLE ? "gemv " : "gemm NT ", c.w());
      case MatrixCall.Linears _, MatrixCall.TiledLinears _ -> NONE;
      case MatrixCall.PackedLinear c -> c.w().layout().equals(LAYOUT) ? "gemm NT F32" : NONE;
      case MatrixCall.Gemm c -> weights(c.transB() ? "gemm NT " : "gemm NN ", c.b());
      case MatrixCall.SumRows _ -> "sum_rows";
      case MatrixCall.GatherRows c -> weights("gather ", c.table());
      case MatrixCall.ScatterAddRows _ -> "scatter_add";
      case NormCall.RmsNorm _ -> "rms_norm";
      case NormCall.RmsNormBackward _ -> "rms_norm_backward";
      case NormCall.LayerNorm _ -> "layer_norm";
      case NormCall.LayerNormBackward _ -> "layer_norm_backward";
      case AttentionCall.Rope _ -> "rope";
      case AttentionCall.Attention c -> attention("attention ", c.k(), c.v());
      case AttentionCall.OverRuns c -> runs(c.k(), c.v());
      case AttentionCall.OfSequences _ -> NONE;
      case AttentionCall.AttentionBackward c -> attention("attention_backward ", c.k(), c.v());
      case AttentionCall.ZeroToken _ -> "zero_token";
      case AttentionCall.ZeroTokenBackward _ -> "zero_token_backward";
      case ActivationCall.Swiglu _ -> "swiglu";
      case ActivationCall.SwigluBackward _ -> "swiglu_backward";
      case ActivationCall.Gelu _ -> "gelu";
      case ActivationCall.GeluBackward _ -> "gelu_backward";
      case ActivationCall.Softmax _ -> "softmax";
      case ActivationCall.SoftmaxBackward _ -> "softmax_backward";
      case LossCall.CrossEntropy _ -> "cross_entropy";
      case LossCall.CrossEntropyBackward _ -> "cross_entropy_backward";
      case LossCall.Kl _, LossCall.KlBackward _ -> NONE;
      case LossCall.CrossEntropyGradient _ -> "cross_entropy_gradient";
      case LossCall.LogSoftmax _ -> "log_softmax";
      case LossCall.KlGradient _ -> "kl_gradient";
      case LossCall.Argmax _ -> "argmax";
      case AdamWCall.Step _ -> "adamw";
    };
  }

  private static String copying(DType from, DType to) {
    if (from == to && !from.isQuantised() && from.bytes() < 8) {
      return from.bytes() == 4 ? "copy_32" : "copy_16";
    }
    if (from == DType.F32 && to == DType.BF16) {
      return "copy_f32_bf16";
    }
    return from == DType.BF16 && to == DType.F32 ? "copy_bf16_f32" : NONE;
  }

  private static String weights(String kernel, Span w) {
    return DeviceMatrix.macro(w.dtype()).isPresent() ? kernel + w.dtype() : NONE;
  }

  private static String attention(String kernel, Span k, Span v) {
    return k.dtype() == v.dtype() ? kernel + DeviceRows.cache(k.dtype()) : NONE;
  }

  /** A kernel takes one buffer, so runs must lie in one storage, as pages of a layer do. */
  private static String runs(List<Span> k, List<Span> v) {
    boolean few = k.size() <= DeviceRows.RUNS && together(k) && together(v);
    if (!few || k.getFirst().dtype() != v.getFirst().dtype()) {
      return NONE;
    }
    return k.getFirst().dtype() == DType.BF16 ? "attention_runs KV_BF16" : "attention_runs";
  }

  private static boolean together(List<Span> runs) {
    return runs.stream().allMatch(r -> r.storage() == runs.getFirst().storage());
  }

  /** The kernel of sums, where the device has F64 and all tensors are F32. */
  String kernel(KernelQuery.Sum call) {
    return call.dtype() == DType.F32 && engine.session().device().doubles() ? "sums" : NONE;
  }

  @Override
  public void run(KernelCall call) {
    if (isEmpty(call)) {
      return;
    }
    switch (call) {
      case ElementwiseCall.Fill c -> rows.fill(c);
      case ElementwiseCall.Copy c -> rows.copy(kernel(c), c.x(), c.y());
      case ElementwiseCall.CopyStrided c -> rows.copyStrided(c);
      case ElementwiseCall.Add c -> rows.binary("add", c.x(), c.y(), c.z());
      case ElementwiseCall.Mul c -> rows.binary("mul", c.x(), c.y(), c.z());
      case ElementwiseCall.MulAdd c -> rows.mulAdd(c);
      case ElementwiseCall.Scale c -> rows.scale(c);
      case ElementwiseCall.Axpy c -> rows.axpy(c);
      case ElementwiseCall.AddScalar c -> rows.addScalar(c);
      case ElementwiseCall.Dropout c -> rows.dropout(c);
      case ElementwiseCall.DropoutAdd c -> rows.dropoutAdd(c);
      case MatrixCall.Linear c when c.m() <= ROW_STABLE -> matrix.gemv(c);
      case MatrixCall.Linear c -> matrix.gemm(Product.of(c));
      case MatrixCall.PackedLinear c -> matrix.gemm(Product.of(c));
      case MatrixCall.Gemm c -> matrix.gemm(Product.of(c));
      case MatrixCall.SumRows c -> gradients.sumRows(c);
      case MatrixCall.GatherRows c -> matrix.gather(c);
      case MatrixCall.ScatterAddRows c -> gradients.scatterAddRows(c);
      case NormCall.RmsNorm c -> rows.rmsNorm(c);
      case NormCall.RmsNormBackward c -> gradients.rmsNormBackward(c);
      case NormCall.LayerNorm c -> rows.layerNorm(c);
      case NormCall.LayerNormBackward c -> gradients.layerNormBackward(c);
      case AttentionCall.Rope c -> rows.rope(c);
      case AttentionCall.Attention c -> rows.attention(c);
      case AttentionCall.OverRuns c -> rows.attention(c);
      case AttentionCall.AttentionBackward c -> gradients.attentionBackward(c);
      case AttentionCall.ZeroToken c -> rows.zeroToken(c);
      case AttentionCall.ZeroTokenBackward c -> gradients.zeroTokenBackward(c);
      case ActivationCall.Swiglu c -> rows.swiglu(c);
      case ActivationCall.SwigluBackward c -> gradients.swigluBackward(c);
      case ActivationCall.Gelu c -> rows.gelu(c);
      case ActivationCall.GeluBackward c -> gradients.geluBackward(c);
      case ActivationCall.Softmax c -> rows.softmax(c);
      case ActivationCall.SoftmaxBackward c -> gradients.softmaxBackward(c);
      case LossCall.CrossEntropy c -> gradients.crossEntropy(c);
      case LossCall.CrossEntropyBackward c -> gradients.crossEntropyBackward(c);
      case LossCall.CrossEntropyGradient c -> gradients.crossEntropyGradient(c);
      case LossCall.LogSoftmax c -> gradients.logSoftmax(c);
      case LossCall.KlGradient c -> gradients.klGradient(c);
      case LossCall.Argmax c -> rows.argmax(c);
      case AdamWCall.Step c -> c.updates().forEach(gradients::adamW);
      default -> throw new IllegalArgumentException("the device has no kernel for " + call.name());
    }
  }

  /** Whether a call sets nothing: OpenCL has no launches of no work-items. */
  private static boolean isEmpty(KernelCall call) {
    return switch (call) {
      case ElementwiseCall.CopyStrided c -> c.layout().count() == 0;
      case ElementwiseCall c -> c.y().length() == 0;
      case MatrixCall.Linear c -> c.m() == 0 || c.n() == 0;
      case MatrixCall.PackedLinear c -> c.m() == 0 || c.w().n() == 0;
      case MatrixCall.Gemm c -> c.m() == 0 || c.n() == 0;
      case MatrixCall.SumRows c -> c.rows() == 0 || c.cols() == 0;
      case MatrixCall.GatherRows c -> c.rows() == 0;
      case MatrixCall.ScatterAddRows c -> c.rows() == 0;
      case NormCall c -> c.rows() == 0 || c.cols() == 0;
      case AttentionCall.Rope c -> c.shape().elements() == 0;
      case ActivationCall.Softmax c -> c.rows() == 0 || c.cols() == 0;
      case ActivationCall.SoftmaxBackward c -> c.rows() == 0 || c.cols() == 0;
      case ActivationCall.Swiglu c -> c.y().length() == 0;
      case ActivationCall.SwigluBackward c -> c.dy().length() == 0;
      case ActivationCall.Gelu c -> c.y().length() == 0;
      case ActivationCall.GeluBackward c -> c.dy().length() == 0;
      case LossCall c -> c.rows() == 0 || c.cols() == 0;
      case MatrixCall.Linears _, MatrixCall.TiledLinears _, AttentionCall _, AdamWCall.Step _ ->
          false;
    };
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return sums.sum(call);
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    return pack(call, this);
  }

  @Override
  public TiledWeight tile(KernelQuery.Tile call) {
    throw new IllegalArgumentException("the device has no products with tiles");
  }

  /** A weight's rows as they are, decoded by {@code kernels}. */
  static PackedWeight pack(KernelQuery.Pack call, Kernels kernels) {
    long count = (long) call.n() * call.k();
    Span values = call.memory().allocate(DType.F32, count).span();
    kernels.copy(call.w().slice(0, count), values);
    return new PackedWeight(LAYOUT, values, call.n(), call.k());
  }
}
