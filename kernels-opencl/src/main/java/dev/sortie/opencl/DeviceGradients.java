package dev.sortie.opencl;

import dev.sortie.tensor.kernel.AdamW;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.memory.Span;

/** Calls of the kernels that training needs. Operands have been checked. */
final class DeviceGradients {
  private static final String LOSSES = "losses";
  private static final String GRADIENTS = "gradients";

  private final Engine engine;

  DeviceGradients(Engine engine) {
    this.engine = engine;
  }

  void sumRows(Span x, Span y, int rows, int cols) {
    Launch call = engine.call(GRADIENTS, "sum_rows").in(x).update(y);
    call.arg(rows).arg((long) cols).items(cols);
  }

  void scatterAddRows(Span dy, Span ids, Span table, int rows, int cols) {
    Launch call = engine.call(GRADIENTS, "scatter_add").in(dy).in(ids).update(table);
    call.arg(rows).arg((long) cols).items(cols);
  }

  /** Either of {@code dx} and {@code dw} may be null. */
  void rmsNormBackward(Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    if (dx != null) {
      Launch call = engine.call(GRADIENTS, "rms_norm_backward_x").in(x).in(w).in(rstd).in(dy);
      call.update(dx).arg(cols).groups(rows);
    }
    if (dw != null) {
      Launch call = engine.call(GRADIENTS, "rms_norm_backward_w").in(x).in(rstd).in(dy);
      call.update(dw).arg(rows).arg((long) cols).items(cols);
    }
  }

  /** Each of {@code dx}, {@code dw} and {@code db} may be null. */
  void layerNormBackward(
      Span x,
      Span w,
      Span mean,
      Span rstd,
      Span dy,
      Span dx,
      Span dw,
      Span db,
      int rows,
      int cols) {
    if (dx != null) {
      Launch call = engine.call(GRADIENTS, "layer_norm_backward_x").in(x).in(w).in(mean).in(rstd);
      call.in(dy).update(dx).arg(cols).groups(rows);
    }
    if (dw != null) {
      Launch call = engine.call(GRADIENTS, "layer_norm_backward_w").in(x).in(mean).in(rstd).in(dy);
      call.update(dw).arg(rows).arg((long) cols).items(cols);
    }
    if (db != null) {
      sumRows(dy, db, rows, cols);
    }
  }

  void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    long n = x.length();
    Launch call = engine.call(GRADIENTS, "gelu_backward").in(x).in(dy).update(dx);
    call.arg(tanh ? 1 : 0).arg(n).items(n);
  }

  void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
    long n = dy.length();
    Launch call = engine.call(GRADIENTS, "swiglu_backward").in(gate).in(up).in(dy);
    call.out(dgate).out(dup).arg(n).items(n);
  }

  void adamW(AdamW.Update u) {
    AdamW o = u.options();
    long n = u.param().length();
    Launch call = engine.call(GRADIENTS, "adamw").in(u.grad());
    call.update(u.param()).update(u.m()).update(u.v()).arg((float) o.learningRate());
    call.arg((float) o.beta1()).arg((float) (1 - o.beta1()));
    call.arg((float) o.beta2()).arg((float) (1 - o.beta2()));
    call.arg((float) o.epsilon()).arg((float) o.weightDecay());
    call.arg((float) o.correction1()).arg((float) o.correction2());
    call.arg((float) o.gradScale()).arg(n).items(n);
  }

  void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    Launch call = engine.call(LOSSES, "cross_entropy").in(logits).in(targets);
    call.out(loss).out(lse).arg(cols).groups(rows);
  }

  void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    Launch call = engine.call(LOSSES, "cross_entropy_backward").in(logits).in(targets).in(lse);
    call.in(dloss).update(dlogits).arg(cols).groups(rows);
  }

  void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    Launch call = engine.call(LOSSES, "cross_entropy_gradient").in(targets);
    call.update(logits).update(weight).out(loss);
    call.arg(cols).arg(confident ? 1 : 0).groups(rows);
  }

  void logSoftmax(Span x, Span p, int rows, int cols) {
    Launch call = engine.call(LOSSES, "log_softmax").update(x).out(p);
    call.arg(cols).groups(rows);
  }

  void klGradient(
      Span logits,
      Span logP,
      Span p,
      Span weight,
      Span loss,
      int rows,
      int cols,
      boolean confident) {
    Launch call = engine.call(LOSSES, "kl_gradient").in(logP).in(p);
    call.update(logits).update(weight).out(loss);
    call.arg(cols).arg(confident ? 1 : 0).groups(rows);
  }

  void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    Launch call = engine.call(LOSSES, "softmax_backward").in(y).in(dy).update(dx);
    call.arg(cols).groups(rows);
  }

  /** In pieces of so many rows as have room for what they leave in scratch memory. */
  void attentionBackward(
      String define,
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
    long queries = (long) s.batch() * s.heads() * s.queries();
    long keys = (long) s.batch() * s.kvHeads() * s.keys();
    Span allQ = dq.slice(0, queries * s.headSize());
    Span allK = dk.slice(0, keys * s.headSize());
    Span allV = dv.slice(0, keys * s.headSize());
    long bytes = 4L * s.keys();
    long piece = Math.clamp(Scratch.BUDGET / bytes, 1, queries);
    for (long first = 0; first < queries; first += piece) {
      Launch call = engine.call("attention", define, "attention_dq");
      call.in(q).in(k).in(v).in(out).in(lse).in(dout).out(allQ);
      call.rows(engine.scratch().of(piece * bytes), first, s)
          .groups(Math.min(piece, queries - first));
    }
    bytes = 8L * s.groupSize() * s.queries();
    piece = Math.clamp(Scratch.BUDGET / bytes, 1, keys);
    for (long first = 0; first < keys; first += piece) {
      Launch call = engine.call("attention", define, "attention_dkv");
      call.in(q).in(k).in(v).in(out).in(lse).in(dout).out(allK).out(allV);
      call.rows(engine.scratch().of(piece * bytes), first, s).groups(Math.min(piece, keys - first));
    }
  }
}
