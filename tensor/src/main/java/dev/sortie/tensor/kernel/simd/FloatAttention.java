package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.BF16;
import static dev.sortie.tensor.DType.F32;
import static dev.sortie.tensor.kernel.Operands.check;
import static dev.sortie.tensor.kernel.Operands.requireRuns;
import static dev.sortie.tensor.kernel.simd.FloatOperands.vectors;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AttentionPart;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.simd.attention.Attention;
import dev.sortie.tensor.kernel.simd.attention.AttentionBackward;
import dev.sortie.tensor.kernel.simd.attention.Rope;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Positions and attention in F32: checks operands; the loops are in {@link Rope}, {@link Attention}
 * and {@link AttentionBackward}.
 */
final class FloatAttention {
  private final WorkerPool pool;
  private final Attention attention;
  private final AttentionBackward backward;

  FloatAttention(WorkerPool pool) {
    this.pool = pool;
    this.attention = new Attention(pool);
    this.backward = new AttentionBackward(pool);
  }

  void rope(Span x, Span cos, Span sin, Span y, RopeShape s, boolean inverse) {
    long count = (long) s.batch() * s.tokens() * s.heads() * s.headSize();
    long angles = (long) (s.first() + s.tokens()) * (s.rotary() / 2);
    vectors("rope x and y", count, x, y);
    vectors("rope cos and sin", angles, cos, sin);
    Rope.run(pool, x.address(), cos.address(), sin.address(), y.address(), s, inverse);
  }

  void forward(Span q, Span k, Span v, Span out, Span lse, AttentionShape s) {
    vectors("attention q and out", queries(s), q, out);
    keysAndValues("attention", s, k, v);
    vectors("attention lse", (long) s.batch() * s.heads() * s.queries(), lse);
    attention.forward(q, k, v, out, lse, s);
  }

  /** One sequence of up to {@link Kernels#ROW_STABLE} queries whose keys and values lie in runs. */
  void forward(Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s) {
    checkRuns(q, k, v, out, lse, s);
    attention.forward(q, k, v, out, lse, s);
  }

  /** Several such sequences. */
  void forward(List<AttentionPart> sequences) {
    sequences.forEach(s -> checkRuns(s.q(), s.k(), s.v(), s.out(), s.lse(), s.shape()));
    attention.forward(sequences);
  }

  private static void checkRuns(
      Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s) {
    requireRuns(k, v, s);
    vectors("attention q and out", queries(s), q, out);
    vectors("attention lse", (long) s.heads() * s.queries(), lse);
  }

  void backward(
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
    backward.run(new AttentionBackward.Spans(q, k, v, out, lse, dout, dq, dk, dv), s);
  }

  private static long queries(AttentionShape s) {
    return (long) s.batch() * s.queries() * s.heads() * s.headSize();
  }

  private static void keysAndValues(String what, AttentionShape s, Span k, Span v) {
    long count = (long) s.batch() * s.keys() * s.kvHeads() * s.headSize();
    check(what + " k", k, k.dtype() == BF16 ? BF16 : F32, count);
    check(what + " v", v, v.dtype() == BF16 ? BF16 : F32, count);
  }
}
