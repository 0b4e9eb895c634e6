package dev.sortie.opencl;

import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.memory.Span;

/**
 * {@code c [m,n] = op(a) · op(b) (+ c) (+ bias [n])}.
 *
 * @param transA whether {@code a} is stored as {@code [k,m]}
 * @param transB whether {@code b} is stored as {@code [n,k]}
 * @param m rows of the result
 * @param n its columns
 * @param k what is summed over
 * @param a left operand, F32
 * @param b right operand, of any type that the device reads
 * @param bias may be null
 * @param c result, F32
 * @param accumulate whether it is added to what {@code c} holds
 */
record Product(
    boolean transA,
    boolean transB,
    int m,
    int n,
    int k,
    Span a,
    Span b,
    Span bias,
    Span c,
    boolean accumulate) {

  static Product of(MatrixCall.Linear c) {
    return new Product(false, true, c.m(), c.n(), c.k(), c.x(), c.w(), c.bias(), c.y(), false);
  }

  static Product of(MatrixCall.PackedLinear c) {
    PackedWeight w = c.w();
    return new Product(false, true, c.m(), w.n(), w.k(), c.x(), w.values(), c.bias(), c.y(), false);
  }

  static Product of(MatrixCall.Gemm c) {
    return new Product(
        c.transA(), c.transB(), c.m(), c.n(), c.k(), c.a(), c.b(), null, c.c(), c.accumulate());
  }

  /** Elements between neighbours of {@code op(a)} in a column. */
  long leftRow() {
    return transA ? 1 : k;
  }

  /** Elements between neighbours of {@code op(a)} in a row. */
  long leftCol() {
    return transA ? m : 1;
  }
}
