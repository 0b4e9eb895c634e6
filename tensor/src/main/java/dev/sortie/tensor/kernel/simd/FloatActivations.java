package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.F32;
import static dev.sortie.tensor.kernel.Operands.check;
import static dev.sortie.tensor.kernel.Operands.sameLength;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.memory.Span;

/** Activations in F32: checks operands and shares out the work. */
final class FloatActivations {
  private final WorkerPool pool;

  FloatActivations(WorkerPool pool) {
    this.pool = pool;
  }

  void swiglu(Span gate, Span up, Span y) {
    ThreeRuns.of(pool, "swiglu", gate, up, y, Activations::swiglu);
  }

  void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
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

  void gelu(Span x, Span y, boolean tanh) {
    ThreeRuns.of(
        pool,
        "gelu",
        x,
        x,
        y,
        tanh
            ? (a, same, b, n) -> Activations.geluTanh(a, b, n)
            : (a, same, b, n) -> Activations.geluExact(a, b, n));
  }

  void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    ThreeRuns.of(
        pool,
        "geluBackward",
        x,
        dy,
        dx,
        tanh ? Activations::geluTanhBackward : Activations::geluExactBackward);
  }
}
