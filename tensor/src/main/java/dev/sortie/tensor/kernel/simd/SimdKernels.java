package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AdamW;
import dev.sortie.tensor.kernel.AttentionPart;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.Projection;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Kernels on the Vector API, at the widest vectors of this CPU or those that the system property
 * {@code sortie.kernels} forces. They compute in F32.
 *
 * <p>Calls whose first operand is F64, which only gradient checks make, go to the scalar reference;
 * so do fills, sums and conversions of types that no hot path uses.
 */
public final class SimdKernels implements Kernels {
  private final Kernels reference = new ScalarKernels();
  private final Kernels vector;

  /**
   * Kernels that share their work among the threads of {@code pool}.
   *
   * @throws IllegalStateException if vectors are forced that are wider than the CPU has
   */
  public SimdKernels(WorkerPool pool) {
    Width.check();
    this.vector = new FloatKernels(pool);
  }

  @Override
  public String name() {
    return Width.name();
  }

  /** Who computes in the type of {@code first}. */
  private Kernels of(Span first) {
    return first.dtype() == DType.F64 ? reference : vector;
  }

  private Kernels onlyF32(Span x) {
    return x.dtype() == DType.F32 ? vector : reference;
  }

  @Override
  public void fill(Span y, double value) {
    onlyF32(y).fill(y, value);
  }

  @Override
  public void copy(Span x, Span y) {
    (FloatElementwise.copies(x.dtype(), y.dtype()) ? vector : reference).copy(x, y);
  }

  @Override
  public void copyStrided(Span x, Strided layout, Span y) {
    vector.copyStrided(x, layout, y);
  }

  @Override
  public void addStrided(Span x, Span y, Strided layout) {
    of(x).addStrided(x, y, layout);
  }

  @Override
  public void add(Span x, Span y, Span z) {
    of(x).add(x, y, z);
  }

  @Override
  public void mul(Span x, Span y, Span z) {
    of(x).mul(x, y, z);
  }

  @Override
  public void mulAdd(Span x, Span y, Span z) {
    of(x).mulAdd(x, y, z);
  }

  @Override
  public void scale(double a, Span x, Span y) {
    of(x).scale(a, x, y);
  }

  @Override
  public void axpy(double a, Span x, Span y) {
    of(x).axpy(a, x, y);
  }

  @Override
  public void addScalar(double a, Span y) {
    of(y).addScalar(a, y);
  }

  @Override
  public double sum(Span x) {
    return onlyF32(x).sum(x);
  }

  @Override
  public double sumSquares(List<Span> tensors) {
    boolean all = tensors.stream().allMatch(x -> x.dtype() == DType.F32);
    return (all ? vector : reference).sumSquares(tensors);
  }

  @Override
  public void linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    of(x).linear(x, w, bias, y, m, n, k);
  }

  @Override
  public void linears(Span x, List<Projection> projections, int m, int k) {
    of(x).linears(x, projections, m, k);
  }

  @Override
  public PackedWeight pack(Span w, int n, int k, Allocator memory) {
    return of(w).pack(w, n, k, memory);
  }

  @Override
  public void linear(Span x, PackedWeight w, Span bias, Span y, int m) {
    of(x).linear(x, w, bias, y, m);
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
    of(a).gemm(transA, transB, m, n, k, a, b, c, accumulate);
  }

  @Override
  public void sumRows(Span x, Span y, int rows, int cols) {
    of(x).sumRows(x, y, rows, cols);
  }

  @Override
  public void gatherRows(Span table, Span ids, Span y, int rows, int cols) {
    of(table).gatherRows(table, ids, y, rows, cols);
  }

  @Override
  public void scatterAddRows(Span dy, Span ids, Span table, int rows, int cols) {
    of(dy).scatterAddRows(dy, ids, table, rows, cols);
  }

  @Override
  public void rmsNorm(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols) {
    of(x).rmsNorm(x, w, eps, y, rstd, rows, cols);
  }

  @Override
  public void rmsNormBackward(
      Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    of(x).rmsNormBackward(x, w, rstd, dy, dx, dw, rows, cols);
  }

  @Override
  public void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    of(x).layerNorm(x, w, b, eps, y, mean, rstd, rows, cols);
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
    of(x).layerNormBackward(x, w, mean, rstd, dy, dx, dw, db, rows, cols);
  }

  @Override
  public void rope(Span x, Span cos, Span sin, Span y, RopeShape shape, boolean inverse) {
    of(x).rope(x, cos, sin, y, shape, inverse);
  }

  @Override
  public void attention(Span q, Span k, Span v, Span out, Span lse, AttentionShape shape) {
    of(q).attention(q, k, v, out, lse, shape);
  }

  @Override
  public void attention(
      Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape shape) {
    of(q).attention(q, k, v, out, lse, shape);
  }

  @Override
  public void attention(List<AttentionPart> sequences) {
    if (!sequences.isEmpty()) {
      of(sequences.getFirst().q()).attention(sequences);
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
      AttentionShape shape) {
    of(q).attentionBackward(q, k, v, out, lse, dout, dq, dk, dv, shape);
  }

  @Override
  public void swiglu(Span gate, Span up, Span y) {
    of(gate).swiglu(gate, up, y);
  }

  @Override
  public void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
    of(gate).swigluBackward(gate, up, dy, dgate, dup);
  }

  @Override
  public void gelu(Span x, Span y, boolean tanh) {
    of(x).gelu(x, y, tanh);
  }

  @Override
  public void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    of(x).geluBackward(x, dy, dx, tanh);
  }

  @Override
  public void softmax(Span x, Span y, int rows, int cols) {
    of(x).softmax(x, y, rows, cols);
  }

  @Override
  public void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    of(y).softmaxBackward(y, dy, dx, rows, cols);
  }

  @Override
  public void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    of(logits).crossEntropy(logits, targets, loss, lse, rows, cols);
  }

  @Override
  public void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    of(logits).crossEntropyBackward(logits, targets, lse, dloss, dlogits, rows, cols);
  }

  @Override
  public void kl(
      Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols) {
    of(logits).kl(logits, teacher, loss, lse, teacherLse, rows, cols);
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
    of(logits).klBackward(logits, teacher, lse, teacherLse, dloss, dlogits, rows, cols);
  }

  @Override
  public void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    of(logits).crossEntropyGradient(logits, targets, weight, loss, rows, cols, confident);
  }

  @Override
  public void logSoftmax(Span x, Span p, int rows, int cols) {
    of(x).logSoftmax(x, p, rows, cols);
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
    of(logits).klGradient(logits, logP, p, weight, loss, rows, cols, confident);
  }

  @Override
  public void argmax(Span x, Span index, Span lse, int rows, int cols) {
    of(x).argmax(x, index, lse, rows, cols);
  }

  @Override
  public void adamW(List<AdamW.Update> updates) {
    vector.adamW(updates);
  }
}
