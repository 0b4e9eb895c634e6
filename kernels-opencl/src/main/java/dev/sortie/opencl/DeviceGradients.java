package dev.sortie.opencl;

import dev.sortie.tensor.kernel.ActivationCall;
import dev.sortie.tensor.kernel.AdamWCall;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.LossCall;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.NormCall;
import dev.sortie.tensor.memory.Span;
import org.jocl.cl_mem;

/** Launches of the kernels that training needs. */
final class DeviceGradients {
  private static final String LOSSES = "losses";
  private static final String GRADIENTS = "gradients";

  private final Engine engine;

  DeviceGradients(Engine engine) {
    this.engine = engine;
  }

  void sumRows(MatrixCall.SumRows c) {
    sumRows(c.x(), c.y(), c.rows(), c.cols());
  }

  private void sumRows(Span x, Span y, int rows, int cols) {
    Launch call = engine.call(GRADIENTS, "sum_rows").in(x).update(y);
    call.arg(rows).arg((long) cols).items(cols);
  }

  void scatterAddRows(MatrixCall.ScatterAddRows c) {
    int cols = c.cols();
    Launch call = engine.call(GRADIENTS, "scatter_add").in(c.dy()).in(c.ids()).update(c.table());
    call.arg(c.rows()).arg((long) cols).items(cols);
  }

  /** Either of {@code dx} and {@code dw} may be null. */
  void rmsNormBackward(NormCall.RmsNormBackward c) {
    int rows = c.rows();
    int cols = c.cols();
    if (c.dx() != null) {
      Launch call =
          engine.call(GRADIENTS, "rms_norm_backward_x").in(c.x()).in(c.w()).in(c.rstd()).in(c.dy());
      call.update(c.dx()).arg(cols).groups(rows);
    }
    if (c.dw() != null) {
      Launch call = engine.call(GRADIENTS, "rms_norm_backward_w").in(c.x()).in(c.rstd()).in(c.dy());
      call.update(c.dw()).arg(rows).arg((long) cols).items(cols);
    }
  }

  /** Each of {@code dx}, {@code dw} and {@code db} may be null. */
  void layerNormBackward(NormCall.LayerNormBackward c) {
    int rows = c.rows();
    int cols = c.cols();
    if (c.dx() != null) {
      Launch call =
          engine
              .call(GRADIENTS, "layer_norm_backward_x")
              .in(c.x())
              .in(c.w())
              .in(c.mean())
              .in(c.rstd());
      call.in(c.dy()).update(c.dx()).arg(cols).groups(rows);
    }
    if (c.dw() != null) {
      Launch call =
          engine
              .call(GRADIENTS, "layer_norm_backward_w")
              .in(c.x())
              .in(c.mean())
              .in(c.rstd())
              .in(c.dy());
      call.update(c.dw()).arg(rows).arg((long) cols).items(cols);
    }
    if (c.db() != null) {
      sumRows(c.dy(), c.db(), rows, cols);
    }
  }

  void geluBackward(ActivationCall.GeluBackward c) {
    long n = c.x().length();
    Launch call = engine.call(GRADIENTS, "gelu_backward").in(c.x()).in(c.dy()).update(c.dx());
    call.arg(c.tanh() ? 1 : 0).arg(n).items(n);
  }

  void swigluBackward(ActivationCall.SwigluBackward c) {
    long n = c.dy().length();
    Launch call = engine.call(GRADIENTS, "swiglu_backward").in(c.gate()).in(c.up()).in(c.dy());
    call.out(c.dgate()).out(c.dup()).arg(n).items(n);
  }

  void adamW(AdamWCall.Update u) {
    AdamWCall o = u.options();
    long n = u.param().length();
    if (n == 0) {
      return;
    }
    Launch call = engine.call(GRADIENTS, "adamw").in(u.grad());
    call.update(u.param()).update(u.m()).update(u.v()).arg((float) o.learningRate());
    call.arg((float) o.beta1()).arg((float) (1 - o.beta1()));
    call.arg((float) o.beta2()).arg((float) (1 - o.beta2()));
    call.arg((float) o.epsilon()).arg((float) o.weightDecay());
    call.arg((float) o.correction1()).arg((float) o.correction2());
    call.arg((float) o.gradScale()).arg(n).items(n);
  }

  void crossEntropy(LossCall.CrossEntropy c) {
    Launch call = engine.call(LOSSES, "cross_entropy").in(c.logits()).in(c.targets());
    call.out(c.loss(), c.rows()).out(c.lse(), c.rows()).arg(c.cols()).groups(c.rows());
  }

  void crossEntropyBackward(LossCall.CrossEntropyBackward c) {
    Launch call =
        engine.call(LOSSES, "cross_entropy_backward").in(c.logits()).in(c.targets()).in(c.lse());
    call.in(c.dloss()).update(c.dlogits()).arg(c.cols()).groups(c.rows());
  }

  void crossEntropyGradient(LossCall.CrossEntropyGradient c) {
    Launch call = engine.call(LOSSES, "cross_entropy_gradient").in(c.targets());
    call.update(c.logits()).update(c.weight()).out(c.loss(), c.rows());
    call.arg(c.cols()).arg(c.confident() ? 1 : 0).groups(c.rows());
  }

  void logSoftmax(LossCall.LogSoftmax c) {
    Launch call = engine.call(LOSSES, "log_softmax").update(c.logits());
    call.out(c.p(), (long) c.rows() * c.cols());
    call.arg(c.cols()).groups(c.rows());
  }

  void klGradient(LossCall.KlGradient c) {
    Launch call = engine.call(LOSSES, "kl_gradient").in(c.logP()).in(c.p());
    call.update(c.logits()).update(c.weight()).out(c.loss(), c.rows());
    call.arg(c.cols()).arg(c.confident() ? 1 : 0).groups(c.rows());
  }

  void softmaxBackward(ActivationCall.SoftmaxBackward c) {
    Launch call = engine.call(LOSSES, "softmax_backward").in(c.y()).in(c.dy()).update(c.dx());
    call.arg(c.cols()).groups(c.rows());
  }

  /** In pieces of so many rows as have room for what they leave in scratch memory. */
  void attentionBackward(AttentionCall.AttentionBackward c) {
    AttentionShape s = c.shape();
    String define = DeviceRows.cache(c.k().dtype());
    long queries = s.rows();
    long keys = (long) s.batch() * s.kvHeads() * s.keys();
    long bytes = 4L * s.keys();
    long piece = Math.clamp(DeviceScratch.BUDGET / bytes, 1, queries);
    for (long first = 0; first < queries; first += piece) {
      Launch call = engine.call("attention", define, "attention_dq");
      call.in(c.q())
          .in(c.k())
          .in(c.v())
          .in(c.out())
          .in(c.lse())
          .in(c.dout())
          .optional(c.dlse(), c.lse())
          .out(c.dq(), s.queryElements());
      call.rows(engine.scratch().of(piece * bytes), first, s)
          .groups(Math.min(piece, queries - first));
    }
    bytes = 8L * s.groupSize() * s.queries();
    piece = Math.clamp(DeviceScratch.BUDGET / bytes, 1, keys);
    for (long first = 0; first < keys; first += piece) {
      Launch call = engine.call("attention", define, "attention_dkv");
      call.in(c.q()).in(c.k()).in(c.v()).in(c.out()).in(c.lse()).in(c.dout());
      call.optional(c.dlse(), c.lse());
      call.out(c.dk(), s.keyElements()).out(c.dv(), s.keyElements());
      call.rows(engine.scratch().of(piece * bytes), first, s).groups(Math.min(piece, keys - first));
    }
  }

  void zeroTokenBackward(AttentionCall.ZeroTokenBackward c) {
    AttentionShape s = c.shape();
    cl_mem scratch = engine.scratch().of(4L * s.rows());
    Launch rows = engine.call("attention", "", "zero_token_rows");
    rows.in(c.key()).in(c.out()).in(c.share()).in(c.dout()).in(c.dshare());
    rows.out(c.du(), s.queryElements()).out(c.dlse(), s.rows()).buffer(scratch);
    rows.arg(s.queries()).heads(s).groups(s.rows());
    long key = (long) s.kvHeads() * s.headSize();
    Launch sums = engine.call("attention", "", "zero_token_key").in(c.u()).out(c.dkey(), key);
    sums.buffer(scratch).arg((long) s.batch() * s.queries());
    sums.arg(s.heads()).arg(s.kvHeads()).arg(s.headSize()).items(key);
  }
}
