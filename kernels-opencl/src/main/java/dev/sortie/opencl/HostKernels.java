package dev.sortie.opencl;

import dev.sortie.tensor.kernel.AdamW;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The host's kernels on memory that a device works on: operands come home first, {@code r} those
 * that are read and {@code w} those that change. Each call is counted by name.
 */
class HostKernels implements Kernels {
  private final Kernels host;
  private final ClMemory memory;
  private final Map<String, Long> calls = new TreeMap<>();

  HostKernels(Kernels host, ClMemory memory) {
    this.host = host;
    this.memory = memory;
  }

  private Span r(Span span) {
    return memory.toHost(span, false);
  }

  private Span w(Span span) {
    return memory.toHost(span, true);
  }

  private Kernels host(String call) {
    calls.merge(call, 1L, Long::sum);
    return host;
  }

  /** How often each kernel ran on the host. */
  Map<String, Long> calls() {
    return Map.copyOf(calls);
  }

  @Override
  public String name() {
    return host.name();
  }

  @Override
  public double sum(Span x) {
    return host("sum").sum(r(x));
  }

  @Override
  public double sumSquares(List<Span> tensors) {
    return host("sumSquares").sumSquares(tensors.stream().map(this::r).toList());
  }

  @Override
  public PackedWeight pack(Span w, int n, int k, Allocator memory) {
    return host("pack").pack(r(w), n, k, memory);
  }

  @Override
  public void linear(Span x, PackedWeight w, Span bias, Span y, int m) {
    PackedWeight weight = new PackedWeight(w.layout(), r(w.values()), w.n(), w.k());
    host("linear packed").linear(r(x), weight, r(bias), w(y), m);
  }

  @Override
  public void adamW(List<AdamW.Update> updates) {
    host("adamW")
        .adamW(
            updates.stream()
                .map(
                    u ->
                        new AdamW.Update(
                            w(u.param()), r(u.grad()), w(u.m()), w(u.v()), u.options()))
                .toList());
  }

  @Override
  public void fill(Span y, double value) {
    host("fill").fill(w(y), value);
  }

  @Override
  public void copy(Span x, Span y) {
    host("copy").copy(r(x), w(y));
  }

  @Override
  public void copyStrided(Span x, Strided layout, Span y) {
    host("copyStrided").copyStrided(r(x), layout, w(y));
  }

  @Override
  public void addStrided(Span x, Span y, Strided layout) {
    host("addStrided").addStrided(r(x), w(y), layout);
  }

  @Override
  public void add(Span x, Span y, Span z) {
    host("add").add(r(x), r(y), w(z));
  }

  @Override
  public void mul(Span x, Span y, Span z) {
    host("mul").mul(r(x), r(y), w(z));
  }

  @Override
  public void mulAdd(Span x, Span y, Span z) {
    host("mulAdd").mulAdd(r(x), r(y), w(z));
  }

  @Override
  public void scale(double a, Span x, Span y) {
    host("scale").scale(a, r(x), w(y));
  }

  @Override
  public void axpy(double a, Span x, Span y) {
    host("axpy").axpy(a, r(x), w(y));
  }

  @Override
  public void addScalar(double a, Span y) {
    host("addScalar").addScalar(a, w(y));
  }

  @Override
  public void linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    host("linear").linear(r(x), r(w), r(bias), w(y), m, n, k);
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
    host("gemm").gemm(transA, transB, m, n, k, r(a), r(b), w(c), accumulate);
  }

  @Override
  public void sumRows(Span x, Span y, int rows, int cols) {
    host("sumRows").sumRows(r(x), w(y), rows, cols);
  }

  @Override
  public void gatherRows(Span table, Span ids, Span y, int rows, int cols) {
    host("gatherRows").gatherRows(r(table), r(ids), w(y), rows, cols);
  }

  @Override
  public void scatterAddRows(Span dy, Span ids, Span table, int rows, int cols) {
    host("scatterAddRows").scatterAddRows(r(dy), r(ids), w(table), rows, cols);
  }

  @Override
  public void rmsNorm(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols) {
    host("rmsNorm").rmsNorm(r(x), r(w), eps, w(y), w(rstd), rows, cols);
  }

  @Override
  public void rmsNormBackward(
      Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    host("rmsNormBackward").rmsNormBackward(r(x), r(w), r(rstd), r(dy), w(dx), w(dw), rows, cols);
  }

  @Override
  public void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    host("layerNorm").layerNorm(r(x), r(w), r(b), eps, w(y), w(mean), w(rstd), rows, cols);
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
    host("layerNormBackward")
        .layerNormBackward(r(x), r(w), r(mean), r(rstd), r(dy), w(dx), w(dw), w(db), rows, cols);
  }

  @Override
  public void rope(Span x, Span cos, Span sin, Span y, RopeShape shape, boolean inverse) {
    host("rope").rope(r(x), r(cos), r(sin), w(y), shape, inverse);
  }

  @Override
  public void attention(Span q, Span k, Span v, Span out, Span lse, AttentionShape shape) {
    host("attention").attention(r(q), r(k), r(v), w(out), w(lse), shape);
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
    host("attentionBackward")
        .attentionBackward(r(q), r(k), r(v), r(out), r(lse), r(dout), w(dq), w(dk), w(dv), shape);
  }

  @Override
  public void swiglu(Span gate, Span up, Span y) {
    host("swiglu").swiglu(r(gate), r(up), w(y));
  }

  @Override
  public void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
    host("swigluBackward").swigluBackward(r(gate), r(up), r(dy), w(dgate), w(dup));
  }

  @Override
  public void gelu(Span x, Span y, boolean tanh) {
    host("gelu").gelu(r(x), w(y), tanh);
  }

  @Override
  public void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    host("geluBackward").geluBackward(r(x), r(dy), w(dx), tanh);
  }

  @Override
  public void softmax(Span x, Span y, int rows, int cols) {
    host("softmax").softmax(r(x), w(y), rows, cols);
  }

  @Override
  public void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    host("softmaxBackward").softmaxBackward(r(y), r(dy), w(dx), rows, cols);
  }

  @Override
  public void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    host("crossEntropy").crossEntropy(r(logits), r(targets), w(loss), w(lse), rows, cols);
  }

  @Override
  public void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    host("crossEntropyBackward")
        .crossEntropyBackward(r(logits), r(targets), r(lse), r(dloss), w(dlogits), rows, cols);
  }

  @Override
  public void kl(
      Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols) {
    host("kl").kl(r(logits), r(teacher), w(loss), w(lse), w(teacherLse), rows, cols);
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
    host("klBackward")
        .klBackward(r(logits), r(teacher), r(lse), r(teacherLse), r(dloss), w(dlogits), rows, cols);
  }

  @Override
  public void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    host("crossEntropyGradient")
        .crossEntropyGradient(w(logits), r(targets), w(weight), w(loss), rows, cols, confident);
  }

  @Override
  public void logSoftmax(Span x, Span p, int rows, int cols) {
    host("logSoftmax").logSoftmax(w(x), w(p), rows, cols);
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
    host("klGradient")
        .klGradient(w(logits), r(logP), r(p), w(weight), w(loss), rows, cols, confident);
  }

  @Override
  public void argmax(Span x, Span index, Span lse, int rows, int cols) {
    host("argmax").argmax(r(x), w(index), w(lse), rows, cols);
  }
}
