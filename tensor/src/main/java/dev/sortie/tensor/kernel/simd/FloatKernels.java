package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.F32;
import static dev.sortie.tensor.DType.I32;
import static dev.sortie.tensor.kernel.Operands.check;
import static dev.sortie.tensor.kernel.Operands.sameLength;
import static dev.sortie.tensor.kernel.simd.FloatOperands.vectors;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AdamW;
import dev.sortie.tensor.kernel.AttentionPart;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.Projection;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/** The kernels in F32: each idea's are in a class of its own, which checks operands. */
final class FloatKernels implements Kernels {
  private final WorkerPool pool;
  private final Matrix matrix;
  private final FloatElementwise elementwise;
  private final FloatActivations activations;
  private final FloatNorms norms;
  private final FloatAttention attention;
  private final FloatLosses losses;

  FloatKernels(WorkerPool pool) {
    this.pool = pool;
    this.matrix = new Matrix(pool);
    this.elementwise = new FloatElementwise(pool);
    this.activations = new FloatActivations(pool);
    this.norms = new FloatNorms(pool);
    this.attention = new FloatAttention(pool);
    this.losses = new FloatLosses(pool);
  }

  @Override
  public String name() {
    return Width.name();
  }

  // ---- memory and element-wise

  @Override
  public void fill(Span y, double value) {
    elementwise.fill(y, value);
  }

  @Override
  public void copy(Span x, Span y) {
    elementwise.copy(x, y);
  }

  @Override
  public void copyStrided(Span x, Strided layout, Span y) {
    elementwise.copyStrided(x, layout, y);
  }

  @Override
  public void addStrided(Span x, Span y, Strided layout) {
    elementwise.addStrided(x, y, layout);
  }

  @Override
  public void add(Span x, Span y, Span z) {
    elementwise.add(x, y, z);
  }

  @Override
  public void mul(Span x, Span y, Span z) {
    elementwise.mul(x, y, z);
  }

  @Override
  public void mulAdd(Span x, Span y, Span z) {
    elementwise.mulAdd(x, y, z);
  }

  @Override
  public void scale(double a, Span x, Span y) {
    elementwise.scale(a, x, y);
  }

  @Override
  public void axpy(double a, Span x, Span y) {
    elementwise.axpy(a, x, y);
  }

  @Override
  public void addScalar(double a, Span y) {
    elementwise.addScalar(a, y);
  }

  @Override
  public double sum(Span x) {
    return elementwise.sum(x);
  }

  @Override
  public double sumSquares(List<Span> tensors) {
    return elementwise.sumSquares(tensors);
  }

  // ---- matrices

  @Override
  public void linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    matrix.linear(x, w, bias, y, m, n, k);
  }

  @Override
  public void linears(Span x, List<Projection> projections, int m, int k) {
    matrix.linears(x, projections, m, k);
  }

  @Override
  public PackedWeight pack(Span w, int n, int k, Allocator memory) {
    return matrix.pack(w, n, k, memory);
  }

  @Override
  public void linear(Span x, PackedWeight w, Span bias, Span y, int m) {
    matrix.linear(x, w, bias, y, m);
  }

  @Override
  public void gemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span c,
      boolean accumulate) {
    matrix.gemm(transA, transB, m, n, k, a, b, c, accumulate);
  }

  @Override
  public void sumRows(Span x, Span y, int rows, int cols) {
    elementwise.sumRows(x, y, rows, cols);
  }

  // ---- embedding

  @Override
  public void gatherRows(Span table, Span ids, Span y, int rows, int cols) {
    check("gatherRows ids", ids, I32, rows);
    check("gatherRows y", y, F32, (long) rows * cols);
    Embedding.gather(pool, table, ids, y.address(), rows, cols);
  }

  @Override
  public void scatterAddRows(Span dy, Span ids, Span table, int rows, int cols) {
    check("scatterAddRows dy", dy, F32, (long) rows * cols);
    check("scatterAddRows ids", ids, I32, rows);
    check("scatterAddRows table", table, F32, 0);
    Embedding.scatterAdd(pool, dy.address(), ids, table, rows, cols);
  }

  // ---- normalisation

  @Override
  public void rmsNorm(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols) {
    norms.rms(x, w, eps, y, rstd, rows, cols);
  }

  @Override
  public void rmsNormBackward(
      Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    norms.rmsBackward(x, w, rstd, dy, dx, dw, rows, cols);
  }

  @Override
  public void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    norms.layer(x, w, b, eps, y, mean, rstd, rows, cols);
  }

  @Override
  public void layerNormBackward(
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
    norms.layerBackward(x, w, mean, rstd, dy, dx, dw, db, rows, cols);
    if (db != null) {
      elementwise.sumRows(dy, db, rows, cols);
    }
  }

  // ---- attention

  @Override
  public void rope(Span x, Span cos, Span sin, Span y, RopeShape s, boolean inverse) {
    attention.rope(x, cos, sin, y, s, inverse);
  }

  @Override
  public void attention(Span q, Span k, Span v, Span out, Span lse, AttentionShape s) {
    attention.forward(q, k, v, out, lse, s);
  }

  @Override
  public void attention(Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s) {
    if (s.queries() > ROW_STABLE) {
      Kernels.super.attention(q, k, v, out, lse, s);
      return;
    }
    attention.forward(q, k, v, out, lse, s);
  }

  @Override
  public void attention(List<AttentionPart> sequences) {
    if (sequences.stream().anyMatch(s -> s.shape().queries() > ROW_STABLE)) {
      Kernels.super.attention(sequences);
      return;
    }
    attention.forward(sequences);
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
    attention.backward(q, k, v, out, lse, dout, dq, dk, dv, s);
  }

  // ---- activations

  @Override
  public void swiglu(Span gate, Span up, Span y) {
    activations.swiglu(gate, up, y);
  }

  @Override
  public void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
    activations.swigluBackward(gate, up, dy, dgate, dup);
  }

  @Override
  public void gelu(Span x, Span y, boolean tanh) {
    activations.gelu(x, y, tanh);
  }

  @Override
  public void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    activations.geluBackward(x, dy, dx, tanh);
  }

  @Override
  public void softmax(Span x, Span y, int rows, int cols) {
    losses.softmax(x, y, rows, cols);
  }

  @Override
  public void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    losses.softmaxBackward(y, dy, dx, rows, cols);
  }

  // ---- losses

  @Override
  public void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    losses.crossEntropy(logits, targets, loss, lse, rows, cols);
  }

  @Override
  public void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    losses.crossEntropyBackward(logits, targets, lse, dloss, dlogits, rows, cols);
  }

  @Override
  public void kl(
      Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols) {
    losses.kl(logits, teacher, loss, lse, teacherLse, rows, cols);
  }

  @Override
  public void klBackward(
      Span logits,
      Span teacher,
      Span lse,
      Span teacherLse,
      Span dloss,
      Span dlogits,
      int rows,
      int cols) {
    losses.klBackward(logits, teacher, lse, teacherLse, dloss, dlogits, rows, cols);
  }

  @Override
  public void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    losses.crossEntropyGradient(logits, targets, weight, loss, rows, cols, confident);
  }

  @Override
  public void logSoftmax(Span x, Span p, int rows, int cols) {
    losses.logSoftmax(x, p, rows, cols);
  }

  @Override
  public void klGradient(
      Span logits,
      Span logP,
      Span p,
      Span weight,
      Span loss,
      int rows,
      int cols,
      boolean confident) {
    losses.klGradient(logits, logP, p, weight, loss, rows, cols, confident);
  }

  @Override
  public void argmax(Span x, Span index, Span lse, int rows, int cols) {
    losses.argmax(x, index, lse, rows, cols);
  }

  // ---- optimiser

  @Override
  public void adamW(List<AdamW.Update> updates) {
    for (AdamW.Update u : updates) {
      vectors("adamW", sameLength("adamW", u.param(), u.grad()), u.param(), u.grad());
      sameLength("adamW", u.param(), u.m());
      sameLength("adamW", u.param(), u.v());
      vectors("adamW", 0, u.m(), u.v());
    }
    ManyTensors.adamW(pool, updates);
  }
}
