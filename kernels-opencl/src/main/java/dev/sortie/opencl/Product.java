package dev.sortie.opencl;

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

  /** {@code y = x · wᵀ (+ bias)}, weights in rows. */
  static Product linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    return new Product(false, true, m, n, k, x, w, bias, y, false);
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
