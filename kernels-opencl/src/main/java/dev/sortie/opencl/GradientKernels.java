package dev.sortie.opencl;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.kernel.AdamW;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.Operands;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/** What training needs of a device; the rest is left to the host. */
class GradientKernels extends HostKernels {
  private static final String SUMS = "sums";

  private final DeviceGradients gradients;
  private final DeviceSums sums;
  private final boolean doubles;
  private final Certification certification;

  GradientKernels(Engine engine, Kernels host) {
    super(host, engine.memory());
    gradients = new DeviceGradients(engine);
    sums = new DeviceSums(engine);
    doubles = engine.session().device().doubles();
    certification = new Certification(engine);
  }

  final Certification certification() {
    return certification;
  }

  /** Whether all are F32 (or missing), and the kernel may be used. */
  final boolean can(String kernel, Span... spans) {
    if (kernel.equals(SUMS) && !doubles) {
      return false;
    }
    for (Span span : spans) {
      if (span != null && span.dtype() != DType.F32) {
        return false;
      }
    }
    return certification.passes(kernel);
  }

  /** Fails unless the spans hold a matrix of these sizes. */
  static void matrix(String what, int r, int c, Span... spans) {
    Operands.matrix(what, r, c);
    for (Span span : spans) {
      Operands.length(what, span, (long) r * c);
    }
  }

  private static void each(String what, int r, Span... spans) {
    for (Span span : spans) {
      Operands.length(what, span, r);
    }
  }

  /** Fails unless targets are negative or below {@code limit}. */
  private static void targets(Span targets, int r, int limit) {
    Operands.check("targets", targets, DType.I32, r);
    for (int i = 0; i < r; i++) {
      if (targets.getInt(i) >= 0) {
        Operands.id("targets", targets, i, limit);
      }
    }
  }

  @Override
  public void sumRows(Span x, Span y, int r, int c) {
    if (!can("sum_rows", x, y)) {
      super.sumRows(x, y, r, c);
      return;
    }
    matrix("sumRows", r, c, x);
    Operands.length("sumRows y", y, c);
    if (c > 0) {
      gradients.sumRows(x, y, r, c);
    }
  }

  @Override
  public void scatterAddRows(Span dy, Span ids, Span table, int r, int c) {
    if (!can("scatter_add", dy, table)) {
      super.scatterAddRows(dy, ids, table, r, c);
      return;
    }
    int limit = Operands.tableRows("table", table, c);
    Operands.check("ids", ids, DType.I32, r);
    Operands.length("scatterAddRows dy", dy, (long) r * c);
    for (int i = 0; i < r; i++) {
      Operands.id("ids", ids, i, limit);
    }
    gradients.scatterAddRows(dy, ids, table, r, c);
  }

  @Override
  public void rmsNormBackward(Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int r, int c) {
    if (!can("rms_norm_backward", x, w, rstd, dy, dx, dw)) {
      super.rmsNormBackward(x, w, rstd, dy, dx, dw, r, c);
      return;
    }
    matrix("rmsNormBackward", r, c, x, dy, dx == null ? x : dx);
    Operands.length("rmsNormBackward w", w, c);
    Operands.length("rmsNormBackward dw", dw == null ? w : dw, c);
    Operands.length("rmsNormBackward rstd", rstd, r);
    if (r > 0 && c > 0) {
      gradients.rmsNormBackward(x, w, rstd, dy, dx, dw, r, c);
    }
  }

  @Override
  public void layerNormBackward(
      Span x, Span w, Span mean, Span rstd, Span dy, Span dx, Span dw, Span db, int r, int c) {
    if (!can("layer_norm_backward", x, w, mean, rstd, dy, dx, dw, db)) {
      super.layerNormBackward(x, w, mean, rstd, dy, dx, dw, db, r, c);
      return;
    }
    matrix("layerNormBackward", r, c, x, dy, dx == null ? x : dx);
    Operands.length("layerNormBackward w", w, c);
    Operands.length("layerNormBackward dw", dw == null ? w : dw, c);
    Operands.length("layerNormBackward db", db == null ? w : db, c);
    each("layerNormBackward", r, mean, rstd);
    if (r > 0 && c > 0) {
      gradients.layerNormBackward(x, w, mean, rstd, dy, dx, dw, db, r, c);
    }
  }

  @Override
  public void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    if (!can("gelu_backward", x, dy, dx)) {
      super.geluBackward(x, dy, dx, tanh);
      return;
    }
    Operands.sameLength("geluBackward dy", x, dy);
    if (Operands.sameLength("geluBackward dx", x, dx) > 0) {
      gradients.geluBackward(x, dy, dx, tanh);
    }
  }

  @Override
  public double sum(Span x) {
    return can(SUMS, x) ? sums.sum(x) : super.sum(x);
  }

  @Override
  public double sumSquares(List<Span> tensors) {
    return can(SUMS, tensors.toArray(Span[]::new))
        ? sums.squares(tensors)
        : super.sumSquares(tensors);
  }

  @Override
  public void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
    if (!can("swiglu_backward", gate, up, dy, dgate, dup)) {
      super.swigluBackward(gate, up, dy, dgate, dup);
      return;
    }
    Operands.sameLength("swigluBackward", gate, up);
    Operands.sameLength("swigluBackward", gate, dy);
    Operands.sameLength("swigluBackward", gate, dgate);
    if (Operands.sameLength("swigluBackward", gate, dup) > 0) {
      gradients.swigluBackward(gate, up, dy, dgate, dup);
    }
  }

  @Override
  public void crossEntropy(Span logits, Span targets, Span loss, Span lse, int r, int c) {
    if (!can("cross_entropy", logits, loss, lse)) {
      super.crossEntropy(logits, targets, loss, lse, r, c);
      return;
    }
    matrix("crossEntropy", r, c, logits);
    each("crossEntropy", r, loss, lse);
    targets(targets, r, c);
    if (r > 0 && c > 0) {
      gradients.crossEntropy(logits, targets, loss.slice(0, r), lse.slice(0, r), r, c);
    }
  }

  @Override
  public void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int r, int c) {
    if (!can("cross_entropy_backward", logits, lse, dloss, dlogits)) {
      super.crossEntropyBackward(logits, targets, lse, dloss, dlogits, r, c);
      return;
    }
    matrix("crossEntropyBackward", r, c, logits, dlogits);
    each("crossEntropyBackward", r, lse, dloss);
    targets(targets, r, c);
    if (r > 0 && c > 0) {
      gradients.crossEntropyBackward(logits, targets, lse, dloss, dlogits, r, c);
    }
  }

  @Override
  public void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int r, int c, boolean confident) {
    if (!can("cross_entropy_gradient", logits, weight, loss)) {
      super.crossEntropyGradient(logits, targets, weight, loss, r, c, confident);
      return;
    }
    matrix("crossEntropyGradient", r, c, logits);
    each("crossEntropyGradient", r, weight, loss);
    targets(targets, r, c);
    if (r > 0 && c > 0) {
      gradients.crossEntropyGradient(logits, targets, weight, loss.slice(0, r), r, c, confident);
    }
  }

  @Override
  public void logSoftmax(Span x, Span p, int r, int c) {
    if (!can("log_softmax", x, p)) {
      super.logSoftmax(x, p, r, c);
      return;
    }
    matrix("logSoftmax", r, c, x, p);
    if (r > 0 && c > 0) {
      gradients.logSoftmax(x, p.slice(0, (long) r * c), r, c);
    }
  }

  @Override
  public void klGradient(
      Span logits, Span logP, Span p, Span weight, Span loss, int r, int c, boolean confident) {
    if (!can("kl_gradient", logits, logP, p, weight, loss)) {
      super.klGradient(logits, logP, p, weight, loss, r, c, confident);
      return;
    }
    matrix("klGradient", r, c, logits, logP, p);
    each("klGradient", r, weight, loss);
    if (r > 0 && c > 0) {
      gradients.klGradient(logits, logP, p, weight, loss.slice(0, r), r, c, confident);
    }
  }

  @Override
  public void softmaxBackward(Span y, Span dy, Span dx, int r, int c) {
    if (!can("softmax_backward", y, dy, dx)) {
      super.softmaxBackward(y, dy, dx, r, c);
      return;
    }
    matrix("softmaxBackward", r, c, y, dy, dx);
    if (r > 0 && c > 0) {
      gradients.softmaxBackward(y, dy, dx, r, c);
    }
  }

  @Override
  public void attentionBackward(
      Span q,
      Span k,
      Span v,
      Span out,
      Span lse,
      Span dout,
      Span dq,
      Span dk,
      Span dv,
      AttentionShape s) {
    boolean types = k.dtype() == v.dtype() && (k.dtype() == DType.F32 || k.dtype() == DType.BF16);
    String define = k.dtype() == DType.BF16 ? "KV_BF16" : "";
    if (!types || !can("attention_backward " + define, q, out, lse, dout, dq, dk, dv)) {
      super.attentionBackward(q, k, v, out, lse, dout, dq, dk, dv, s);
      return;
    }
    long queries = (long) s.batch() * s.queries() * s.heads();
    long keys = (long) s.batch() * s.keys() * s.kvHeads() * s.headSize();
    for (Span span : new Span[] {q, out, dout, dq}) {
      Operands.length("attentionBackward queries", span, queries * s.headSize());
    }
    for (Span span : new Span[] {k, v, dk, dv}) {
      Operands.length("attentionBackward keys", span, keys);
    }
    Operands.length("attentionBackward lse", lse, queries);
    gradients.attentionBackward(define, q, k, v, out, lse, dout, dq, dk, dv, s);
  }

  @Override
  public void adamW(List<AdamW.Update> updates) {
    for (AdamW.Update u : updates) {
      if (!can("adamw", u.param(), u.grad(), u.m(), u.v())) {
        super.adamW(List.of(u));
        continue;
      }
      Operands.sameLength("adamW", u.param(), u.grad());
      Operands.sameLength("adamW", u.param(), u.m());
      if (Operands.sameLength("adamW", u.param(), u.v()) > 0) {
        gradients.adamW(u);
      }
    }
  }
}
