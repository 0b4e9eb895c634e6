package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;

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
  public void fill(Span y, double value) {
    ScalarElementwise.fill(y, value);
  }

  @Override
  public void copy(Span x, Span y) {
    ScalarElementwise.copy(x, y);
  }

  @Override
  public void copyStrided(Span x, Strided layout, Span y) {
    ScalarElementwise.copyStrided(x, layout, y);
  }

  @Override
  public void addStrided(Span x, Span y, Strided layout) {
    ScalarElementwise.addStrided(x, y, layout);
  }

  @Override
  public void add(Span x, Span y, Span z) {
    ScalarElementwise.map("add", x, y, z, Double::sum);
  }

  @Override
  public void mul(Span x, Span y, Span z) {
    ScalarElementwise.map("mul", x, y, z, (a, b) -> a * b);
  }

  @Override
  public void mulAdd(Span x, Span y, Span z) {
    ScalarElementwise.mulAdd(x, y, z);
  }

  @Override
  public void scale(double a, Span x, Span y) {
    ScalarElementwise.map("scale", x, x, y, (b, same) -> a * b);
  }

  @Override
  public void axpy(double a, Span x, Span y) {
    ScalarElementwise.map("axpy", x, y, y, (b, c) -> c + a * b);
  }

  @Override
  public void addScalar(double a, Span y) {
    ScalarElementwise.map("addScalar", y, y, y, (b, same) -> b + a);
  }

  @Override
  public double sum(Span x) {
    return ScalarElementwise.sum(x, false);
  }

  @Override
  public double sumSquares(List<Span> tensors) {
    double sum = 0;
    for (Span x : tensors) {
      sum += ScalarElementwise.sum(x, true);
    }
    return sum;
  }

  @Override
  public void linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    ScalarMatrix.linear(x, w, bias, y, m, n, k);
  }

  @Override
  public PackedWeight pack(Span w, int n, int k, Allocator memory) {
    return ScalarMatrix.pack(w, n, k, memory);
  }

  @Override
  public void linear(Span x, PackedWeight w, Span bias, Span y, int m) {
    w.checkLayout(PackedWeight.ROWS, name());
    ScalarMatrix.linear(x, w.values(), bias, y, m, w.n(), w.k());
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
    ScalarMatrix.gemm(transA, transB, m, n, k, a, b, c, accumulate);
  }

  @Override
  public void sumRows(Span x, Span y, int rows, int cols) {
    ScalarElementwise.sumRows(x, y, rows, cols);
  }

  @Override
  public void gatherRows(Span table, Span ids, Span y, int rows, int cols) {
    ScalarMatrix.gatherRows(table, ids, y, rows, cols);
  }

  @Override
  public void scatterAddRows(Span dy, Span ids, Span table, int rows, int cols) {
    ScalarMatrix.scatterAddRows(dy, ids, table, rows, cols);
  }

  @Override
  public void rmsNorm(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols) {
    ScalarNorms.rmsNorm(x, w, eps, y, rstd, rows, cols);
  }

  @Override
  public void rmsNormBackward(
      Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    ScalarNorms.rmsNormBackward(x, w, rstd, dy, dx, dw, rows, cols);
  }

  @Override
  public void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    ScalarNorms.layerNorm(x, w, b, eps, y, mean, rstd, rows, cols);
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
    ScalarNorms.layerNormBackward(x, w, mean, rstd, dy, dx, dw, db, rows, cols);
  }

  @Override
  public void rope(Span x, Span cos, Span sin, Span y, RopeShape shape, boolean inverse) {
    ScalarAttention.rope(x, cos, sin, y, shape, inverse);
  }

  @Override
  public void attention(Span q, Span k, Span v, Span out, Span lse, AttentionShape shape) {
    ScalarAttention.attention(q, k, v, out, lse, shape);
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
      AttentionShape shape) {
    ScalarAttention.attentionBackward(q, k, v, out, lse, dout, dq, dk, dv, shape);
  }

  @Override
  public void swiglu(Span gate, Span up, Span y) {
    ScalarActivations.swiglu(gate, up, y);
  }

  @Override
  public void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
    ScalarActivations.swigluBackward(gate, up, dy, dgate, dup);
  }

  @Override
  public void gelu(Span x, Span y, boolean tanh) {
    ScalarActivations.gelu(x, y, tanh);
  }

  @Override
  public void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    ScalarActivations.geluBackward(x, dy, dx, tanh);
  }

  @Override
  public void softmax(Span x, Span y, int rows, int cols) {
    ScalarLosses.softmax(x, y, rows, cols);
  }

  @Override
  public void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    ScalarLosses.softmaxBackward(y, dy, dx, rows, cols);
  }

  @Override
  public void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    ScalarLosses.crossEntropy(logits, targets, loss, lse, rows, cols);
  }

  @Override
  public void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    ScalarLosses.crossEntropyBackward(logits, targets, lse, dloss, dlogits, rows, cols);
  }

  @Override
  public void kl(
      Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols) {
    ScalarLosses.kl(logits, teacher, loss, lse, teacherLse, rows, cols);
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
    ScalarLosses.klBackward(logits, teacher, lse, teacherLse, dloss, dlogits, rows, cols);
  }

  @Override
  public void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    ScalarLossGradients.crossEntropy(logits, targets, weight, loss, rows, cols, confident);
  }

  @Override
  public void logSoftmax(Span x, Span p, int rows, int cols) {
    ScalarLossGradients.logSoftmax(x, p, rows, cols);
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
    ScalarLossGradients.kl(logits, logP, p, weight, loss, rows, cols, confident);
  }

  @Override
  public void argmax(Span x, Span index, Span lse, int rows, int cols) {
    ScalarLosses.argmax(x, index, lse, rows, cols);
  }

  @Override
  public void adamW(List<AdamW.Update> updates) {
    updates.forEach(u -> ScalarElementwise.adamW(u.param(), u.grad(), u.m(), u.v(), u.options()));
  }
}
