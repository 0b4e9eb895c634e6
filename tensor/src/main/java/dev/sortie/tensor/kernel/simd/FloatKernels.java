package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.BF16;
import static dev.sortie.tensor.DType.F16;
import static dev.sortie.tensor.DType.F32;
import static dev.sortie.tensor.DType.I32;
import static dev.sortie.tensor.kernel.Operands.check;
import static dev.sortie.tensor.kernel.Operands.requireRuns;
import static dev.sortie.tensor.kernel.Operands.sameLength;
import static dev.sortie.tensor.kernel.Operands.view;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AdamW;
import dev.sortie.tensor.kernel.AttentionPart;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.Projection;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * The kernels in F32: checks operands and shares out the work; the loops are in the other classes
 * of this package.
 */
final class FloatKernels implements Kernels {
  private final WorkerPool pool;
  private final Matrix matrix;
  private final Attention attention;
  private final AttentionBackward attentionBackward;

  FloatKernels(WorkerPool pool) {
    this.pool = pool;
    this.matrix = new Matrix(pool);
    this.attention = new Attention(pool);
    this.attentionBackward = new AttentionBackward(pool);
  }

  /** Whether {@link #copy} has code for these types. */
  static boolean copies(DType in, DType out) {
    return in == out
        || out == F32 && (in == BF16 || in == F16 || in.isQuantised())
        || in == F32 && (out == BF16 || out == F16 || out.isQuantised());
  }

  @Override
  public String name() {
    return Width.name();
  }

  // ---- memory and element-wise

  @Override
  public void fill(Span y, double value) {
    check("fill", y, F32, 0);
    long to = y.address();
    Split.elements(
        pool,
        y.length(),
        (from, end) -> Elementwise.fill(to + 4 * from, end - from, (float) value));
  }

  @Override
  public void copy(Span x, Span y) {
    long n = sameLength("copy", x, y);
    long a = x.address();
    long b = y.address();
    DType in = x.dtype();
    DType out = y.dtype();
    if (in == out) {
      long bytes = in.bytes(n);
      Split.elements(
          pool, bytes, (from, to) -> Conversions.copyBytes(a + from, b + from, to - from));
    } else if (out == F32 && (in == BF16 || in == F16 || in.isQuantised())) {
      Split.elements(
          pool,
          n,
          (from, to) -> Conversions.widen(in, a + in.bytes(from), b + 4 * from, to - from));
    } else if (in == F32 && out == BF16) {
      Split.elements(
          pool, n, (from, to) -> Conversions.toBf16(a + 4 * from, b + 2 * from, to - from));
    } else if (in == F32 && out == F16) {
      Split.elements(
          pool, n, (from, to) -> Conversions.toF16(a + 4 * from, b + 2 * from, to - from));
    } else if (in == F32 && out.isQuantised()) {
      Split.elements(
          pool,
          n,
          (from, to) -> Conversions.quantise(out, a + 4 * from, b + out.bytes(from), to - from));
    } else {
      throw new IllegalArgumentException("no vector code for a copy from " + in + " to " + out);
    }
  }

  @Override
  public void copyStrided(Span x, Strided layout, Span y) {
    view("copyStrided x", x, layout);
    check("copyStrided y", y, x.dtype(), layout.count());
    StridedCopies.copy(pool, x.address(), layout, y.address(), x.dtype().bytes());
  }

  @Override
  public void addStrided(Span x, Span y, Strided layout) {
    check("addStrided x", x, F32, layout.count());
    check("addStrided y", y, F32, 0);
    view("addStrided y", y, layout);
    StridedCopies.add(pool, x.address(), y.address(), layout);
  }

  /** A loop over three runs of floats. */
  @FunctionalInterface
  private interface Loop {
    void run(long x, long y, long z, long n);
  }

  private void three(String what, Span x, Span y, Span z, Loop loop) {
    long n = sameLength(what, x, y);
    sameLength(what, x, z);
    check(what + " x", x, F32, n);
    check(what + " y", y, F32, n);
    check(what + " z", z, F32, n);
    long a = x.address();
    long b = y.address();
    long c = z.address();
    Split.elements(
        pool, n, (from, to) -> loop.run(a + 4 * from, b + 4 * from, c + 4 * from, to - from));
  }

  @Override
  public void add(Span x, Span y, Span z) {
    three("add", x, y, z, Elementwise::add);
  }

  @Override
  public void mul(Span x, Span y, Span z) {
    three("mul", x, y, z, Elementwise::mul);
  }

  @Override
  public void mulAdd(Span x, Span y, Span z) {
    three("mulAdd", x, y, z, Elementwise::mulAdd);
  }

  @Override
  public void scale(double a, Span x, Span y) {
    three("scale", x, x, y, (p, same, q, n) -> Elementwise.scale((float) a, p, q, n));
  }

  @Override
  public void axpy(double a, Span x, Span y) {
    three("axpy", x, x, y, (p, same, q, n) -> Elementwise.axpy((float) a, p, q, n));
  }

  @Override
  public void addScalar(double a, Span y) {
    three("addScalar", y, y, y, (p, same, q, n) -> Elementwise.addScalar((float) a, q, n));
  }

  @Override
  public double sum(Span x) {
    check("sum", x, F32, 0);
    return Sums.sum(pool, x.address(), x.length());
  }

  @Override
  public double sumSquares(List<Span> tensors) {
    tensors.forEach(x -> check("sumSquares", x, F32, 0));
    return ManyTensors.sumSquares(pool, tensors);
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
    check("sumRows x", x, F32, (long) rows * cols);
    check("sumRows y", y, F32, cols);
    long a = x.address();
    long b = y.address();
    Split.columns(pool, cols, rows, (from, to) -> Sums.rows(a, b, rows, cols, from, to));
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
    matrices("rmsNorm", rows, cols, x, y);
    vectors("rmsNorm w", cols, w);
    vectors("rmsNorm rstd", rows, rstd);
    Norms.rms(pool, x.address(), w.address(), eps, y.address(), rstd.address(), rows, cols);
  }

  @Override
  public void rmsNormBackward(
      Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    matrices("rmsNormBackward", rows, cols, x, dy, dx);
    vectors("rmsNormBackward w", cols, w, dw);
    vectors("rmsNormBackward rstd", rows, rstd);
    Norms.rmsBackward(
        pool,
        x.address(),
        w.address(),
        rstd.address(),
        dy.address(),
        orZero(dx),
        orZero(dw),
        rows,
        cols);
  }

  @Override
  public void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    matrices("layerNorm", rows, cols, x, y);
    vectors("layerNorm w and b", cols, w, b);
    vectors("layerNorm mean and rstd", rows, mean, rstd);
    Norms.layer(
        pool,
        x.address(),
        w.address(),
        orZero(b),
        eps,
        y.address(),
        mean.address(),
        rstd.address(),
        rows,
        cols);
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
    matrices("layerNormBackward", rows, cols, x, dy, dx);
    vectors("layerNormBackward w, dw and db", cols, w, dw, db);
    vectors("layerNormBackward mean and rstd", rows, mean, rstd);
    Norms.layerBackward(
        pool,
        x.address(),
        w.address(),
        mean.address(),
        rstd.address(),
        dy.address(),
        orZero(dx),
        orZero(dw),
        rows,
        cols);
    if (db != null) {
      sumRows(dy, db, rows, cols);
    }
  }

  // ---- attention

  @Override
  public void rope(Span x, Span cos, Span sin, Span y, RopeShape s, boolean inverse) {
    long count = (long) s.batch() * s.tokens() * s.heads() * s.headSize();
    long angles = (long) (s.first() + s.tokens()) * (s.rotary() / 2);
    vectors("rope x and y", count, x, y);
    vectors("rope cos and sin", angles, cos, sin);
    Rope.run(pool, x.address(), cos.address(), sin.address(), y.address(), s, inverse);
  }

  @Override
  public void attention(Span q, Span k, Span v, Span out, Span lse, AttentionShape s) {
    vectors("attention q and out", queries(s), q, out);
    keysAndValues("attention", s, k, v);
    vectors("attention lse", (long) s.batch() * s.heads() * s.queries(), lse);
    attention.forward(q, k, v, out, lse, s);
  }

  @Override
  public void attention(Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s) {
    if (s.queries() > ROW_STABLE) {
      Kernels.super.attention(q, k, v, out, lse, s);
      return;
    }
    checkRuns(q, k, v, out, lse, s);
    attention.forward(q, k, v, out, lse, s);
  }

  @Override
  public void attention(List<AttentionPart> sequences) {
    if (sequences.stream().anyMatch(s -> s.shape().queries() > ROW_STABLE)) {
      Kernels.super.attention(sequences);
      return;
    }
    sequences.forEach(s -> checkRuns(s.q(), s.k(), s.v(), s.out(), s.lse(), s.shape()));
    attention.forward(sequences);
  }

  private static void checkRuns(
      Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s) {
    requireRuns(k, v, s);
    vectors("attention q and out", queries(s), q, out);
    vectors("attention lse", (long) s.heads() * s.queries(), lse);
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
    vectors("attentionBackward q, out, dout and dq", queries(s), q, out, dout, dq);
    keysAndValues("attentionBackward", s, k, v);
    vectors(
        "attentionBackward dk and dv",
        (long) s.batch() * s.keys() * s.kvHeads() * s.headSize(),
        dk,
        dv);
    vectors("attentionBackward lse", (long) s.batch() * s.heads() * s.queries(), lse);
    attentionBackward.run(new AttentionBackward.Spans(q, k, v, out, lse, dout, dq, dk, dv), s);
  }

  private static long queries(AttentionShape s) {
    return (long) s.batch() * s.queries() * s.heads() * s.headSize();
  }

  private static void keysAndValues(String what, AttentionShape s, Span k, Span v) {
    long count = (long) s.batch() * s.keys() * s.kvHeads() * s.headSize();
    check(what + " k", k, k.dtype() == BF16 ? BF16 : F32, count);
    check(what + " v", v, v.dtype() == BF16 ? BF16 : F32, count);
  }

  // ---- activations

  @Override
  public void swiglu(Span gate, Span up, Span y) {
    three("swiglu", gate, up, y, Activations::swiglu);
  }

  @Override
  public void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
    long n = gate.length();
    for (Span s : new Span[] {gate, up, dy, dgate, dup}) {
      sameLength("swigluBackward", gate, s);
      check("swigluBackward", s, F32, n);
    }
    long g = gate.address();
    long u = up.address();
    long d = dy.address();
    long dg = dgate.address();
    long du = dup.address();
    Split.elements(
        pool,
        n,
        (from, to) -> {
          long at = 4 * from;
          Activations.swigluBackward(g + at, u + at, d + at, dg + at, du + at, to - from);
        });
  }

  @Override
  public void gelu(Span x, Span y, boolean tanh) {
    three(
        "gelu",
        x,
        x,
        y,
        tanh
            ? (a, same, b, n) -> Activations.geluTanh(a, b, n)
            : (a, same, b, n) -> Activations.geluExact(a, b, n));
  }

  @Override
  public void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    three(
        "geluBackward",
        x,
        dy,
        dx,
        tanh ? Activations::geluTanhBackward : Activations::geluExactBackward);
  }

  @Override
  public void softmax(Span x, Span y, int rows, int cols) {
    matrices("softmax", rows, cols, x, y);
    Losses.softmax(pool, x.address(), y.address(), rows, cols);
  }

  @Override
  public void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    matrices("softmaxBackward", rows, cols, y, dy, dx);
    Losses.softmaxBackward(pool, y.address(), dy.address(), dx.address(), rows, cols);
  }

  // ---- losses

  @Override
  public void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    matrices("crossEntropy logits", rows, cols, logits);
    check("crossEntropy targets", targets, I32, rows);
    vectors("crossEntropy loss and lse", rows, loss, lse);
    Losses.crossEntropy(pool, logits.address(), targets, loss.address(), lse.address(), rows, cols);
  }

  @Override
  public void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    matrices("crossEntropyBackward logits and dlogits", rows, cols, logits, dlogits);
    check("crossEntropyBackward targets", targets, I32, rows);
    vectors("crossEntropyBackward lse and dloss", rows, lse, dloss);
    Losses.crossEntropyBackward(
        pool,
        logits.address(),
        targets,
        lse.address(),
        dloss.address(),
        dlogits.address(),
        rows,
        cols);
  }

  @Override
  public void kl(
      Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols) {
    matrices("kl logits and teacher", rows, cols, logits, teacher);
    vectors("kl loss, lse and teacherLse", rows, loss, lse, teacherLse);
    Losses.kl(
        pool,
        logits.address(),
        teacher.address(),
        loss.address(),
        lse.address(),
        teacherLse.address(),
        rows,
        cols);
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
    matrices("klBackward logits, teacher and dlogits", rows, cols, logits, teacher, dlogits);
    vectors("klBackward lse, teacherLse and dloss", rows, lse, teacherLse, dloss);
    Losses.klBackward(
        pool,
        logits.address(),
        teacher.address(),
        lse.address(),
        teacherLse.address(),
        dloss.address(),
        dlogits.address(),
        rows,
        cols);
  }

  @Override
  public void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    matrices("crossEntropyGradient logits", rows, cols, logits);
    check("crossEntropyGradient targets", targets, I32, rows);
    vectors("crossEntropyGradient weight and loss", rows, weight, loss);
    int[] target = Losses.targets(targets, rows, cols);
    LossGradients.crossEntropy(
        pool, logits.address(), target, weight.address(), loss.address(), rows, cols, confident);
  }

  @Override
  public void logSoftmax(Span x, Span p, int rows, int cols) {
    matrices("logSoftmax x and p", rows, cols, x, p);
    LossGradients.logSoftmax(pool, x.address(), p.address(), rows, cols);
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
    matrices("klGradient logits, logP and p", rows, cols, logits, logP, p);
    vectors("klGradient weight and loss", rows, weight, loss);
    LossGradients.kl(
        pool,
        logits.address(),
        logP.address(),
        p.address(),
        weight.address(),
        loss.address(),
        rows,
        cols,
        confident);
  }

  @Override
  public void argmax(Span x, Span index, Span lse, int rows, int cols) {
    matrices("argmax x", rows, cols, x);
    check("argmax index", index, I32, rows);
    vectors("argmax lse", rows, lse);
    Losses.argmax(pool, x.address(), index.address(), lse.address(), rows, cols);
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

  // ---- checks

  private static void matrices(String what, int rows, int cols, Span... spans) {
    vectors(what, (long) rows * cols, spans);
  }

  /** Checks each span that is there: optional operands may be null. */
  private static void vectors(String what, long count, Span... spans) {
    for (Span s : spans) {
      if (s != null) {
        check(what, s, F32, count);
      }
    }
  }

  private static long orZero(Span optional) {
    return optional == null ? 0 : optional.address();
  }
}
