package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.ActivationCall;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.VectorMath;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Activations over {@code n} floats at absolute addresses; tails apart, for the reason that {@link
 * Exponentials} gives.
 */
final class Activations {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long LANES = F.length();
  private static final float TANH_SCALE = 0.7978846f;
  private static final float TANH_CUBIC = 0.044715f;
  private static final float SQRT_HALF = 0.70710677f;

  /** {@code 1 / √(2π)}. */
  private static final float NORMAL = 0.3989423f;

  private Activations() {}

  static void run(WorkerPool pool, ActivationCall call) {
    switch (call) {
      case ActivationCall.Swiglu c ->
          ThreeRuns.of(pool, c.gate(), c.up(), c.y(), Activations::swiglu);
      case ActivationCall.SwigluBackward c -> swigluBackward(pool, c);
      case ActivationCall.Gelu c ->
          ThreeRuns.of(
              pool,
              c.x(),
              c.x(),
              c.y(),
              c.tanh()
                  ? (x, same, y, n) -> geluTanh(x, y, n)
                  : (x, same, y, n) -> geluExact(x, y, n));
      case ActivationCall.GeluBackward c -> {
        ThreeRuns loop = c.tanh() ? Activations::geluTanhBackward : Activations::geluExactBackward;
        ThreeRuns.of(pool, c.x(), c.dy(), c.dx(), loop);
      }
      case ActivationCall.Softmax c -> Losses.softmax(pool, c);
      case ActivationCall.SoftmaxBackward c -> Losses.softmaxBackward(pool, c);
    }
  }

  private static void swiglu(long gate, long up, long y, long n) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector g = FloatVector.fromMemorySegment(F, MEMORY, gate + 4 * i, ORDER);
      FloatVector sigmoid = one.div(VectorMath.exp(g.neg()).add(1f));
      g.mul(sigmoid)
          .mul(FloatVector.fromMemorySegment(F, MEMORY, up + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    swigluTail(gate, up, y, i, n);
  }

  private static void swigluTail(long gate, long up, long y, long from, long n) {
    for (long i = from; i < n; i++) {
      float g = get(gate + 4 * i);
      float sigmoid = 1f / (VectorMath.exp(-g) + 1f);
      set(y + 4 * i, g * sigmoid * get(up + 4 * i));
    }
  }

  private static void swigluBackward(WorkerPool pool, ActivationCall.SwigluBackward call) {
    long gate = call.gate().address();
    long up = call.up().address();
    long dy = call.dy().address();
    long dgate = call.dgate().address();
    long dup = call.dup().address();
    Split.elements(
        pool,
        call.dy().length(),
        (from, to) -> {
          long at = 4 * from;
          swigluBackward(gate + at, up + at, dy + at, dgate + at, dup + at, to - from);
        });
  }

  private static void swigluBackward(long gate, long up, long dy, long dgate, long dup, long n) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector g = FloatVector.fromMemorySegment(F, MEMORY, gate + 4 * i, ORDER);
      FloatVector d = FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * i, ORDER);
      FloatVector sigmoid = one.div(VectorMath.exp(g.neg()).add(1f));
      FloatVector slope = g.mul(one.sub(sigmoid)).add(1f).mul(sigmoid);
      d.mul(FloatVector.fromMemorySegment(F, MEMORY, up + 4 * i, ORDER))
          .mul(slope)
          .intoMemorySegment(MEMORY, dgate + 4 * i, ORDER);
      d.mul(g.mul(sigmoid)).intoMemorySegment(MEMORY, dup + 4 * i, ORDER);
    }
    swigluBackwardTail(gate, up, dy, dgate, dup, i, n);
  }

  private static void swigluBackwardTail(
      long gate, long up, long dy, long dgate, long dup, long from, long n) {
    for (long i = from; i < n; i++) {
      float g = get(gate + 4 * i);
      float d = get(dy + 4 * i);
      float sigmoid = 1f / (VectorMath.exp(-g) + 1f);
      float slope = (g * (1f - sigmoid) + 1f) * sigmoid;
      set(dgate + 4 * i, d * get(up + 4 * i) * slope);
      set(dup + 4 * i, d * (g * sigmoid));
    }
  }

  private static void geluExact(long x, long y, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector a = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER);
      a.mul(0.5f)
          .mul(VectorMath.erf(a.mul(SQRT_HALF)).add(1f))
          .intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    geluExactTail(x, y, i, n);
  }

  private static void geluExactTail(long x, long y, long from, long n) {
    for (long i = from; i < n; i++) {
      float a = get(x + 4 * i);
      set(y + 4 * i, a * 0.5f * (VectorMath.erf(a * SQRT_HALF) + 1f));
    }
  }

  /** In two passes, {@code dx += dy Φ(x)} and {@code dx += dy x φ(x)}: one vector function each. */
  private static void geluExactBackward(long x, long dy, long dx, long n) {
    addCdf(x, dy, dx, n);
    addDensity(x, dy, dx, n);
  }

  private static void addCdf(long x, long dy, long dx, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector cdf =
          VectorMath.erf(FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).mul(SQRT_HALF))
              .add(1f)
              .mul(0.5f);
      FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * i, ORDER)
          .fma(cdf, FloatVector.fromMemorySegment(F, MEMORY, dx + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, dx + 4 * i, ORDER);
    }
    addCdfTail(x, dy, dx, i, n);
  }

  private static void addCdfTail(long x, long dy, long dx, long from, long n) {
    for (long i = from; i < n; i++) {
      float cdf = (VectorMath.erf(get(x + 4 * i) * SQRT_HALF) + 1f) * 0.5f;
      set(dx + 4 * i, Math.fma(get(dy + 4 * i), cdf, get(dx + 4 * i)));
    }
  }

  private static void addDensity(long x, long dy, long dx, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector a = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER);
      FloatVector density = VectorMath.exp(a.mul(a).mul(-0.5f)).mul(NORMAL);
      FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * i, ORDER)
          .fma(a.mul(density), FloatVector.fromMemorySegment(F, MEMORY, dx + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, dx + 4 * i, ORDER);
    }
    addDensityTail(x, dy, dx, i, n);
  }

  private static void addDensityTail(long x, long dy, long dx, long from, long n) {
    for (long i = from; i < n; i++) {
      float a = get(x + 4 * i);
      float density = VectorMath.exp(a * a * -0.5f) * NORMAL;
      set(dx + 4 * i, Math.fma(get(dy + 4 * i), a * density, get(dx + 4 * i)));
    }
  }

  private static void geluTanh(long x, long y, long n) {
    FloatVector cubic = FloatVector.broadcast(F, TANH_CUBIC);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector a = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER);
      FloatVector inner = a.mul(a).mul(a).fma(cubic, a).mul(TANH_SCALE);
      a.mul(0.5f).mul(VectorMath.tanh(inner).add(1f)).intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    geluTanhTail(x, y, i, n);
  }

  private static void geluTanhTail(long x, long y, long from, long n) {
    for (long i = from; i < n; i++) {
      float a = get(x + 4 * i);
      float inner = Math.fma(a * a * a, TANH_CUBIC, a) * TANH_SCALE;
      set(y + 4 * i, a * 0.5f * (VectorMath.tanh(inner) + 1f));
    }
  }

  private static void geluTanhBackward(long x, long dy, long dx, long n) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    FloatVector cubic = FloatVector.broadcast(F, TANH_CUBIC);
    FloatVector cubicSlope = FloatVector.broadcast(F, 3 * TANH_CUBIC);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector a = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER);
      FloatVector inner = a.mul(a).mul(a).fma(cubic, a).mul(TANH_SCALE);
      FloatVector innerSlope = a.mul(a).fma(cubicSlope, one).mul(TANH_SCALE);
      FloatVector t = VectorMath.tanh(inner);
      FloatVector change = one.sub(t.mul(t)).mul(innerSlope).mul(a).mul(0.5f);
      FloatVector slope = t.add(1f).mul(0.5f).add(change);
      FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * i, ORDER)
          .fma(slope, FloatVector.fromMemorySegment(F, MEMORY, dx + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, dx + 4 * i, ORDER);
    }
    geluTanhBackwardTail(x, dy, dx, i, n);
  }

  private static void geluTanhBackwardTail(long x, long dy, long dx, long from, long n) {
    for (long i = from; i < n; i++) {
      float a = get(x + 4 * i);
      float inner = Math.fma(a * a * a, TANH_CUBIC, a) * TANH_SCALE;
      float innerSlope = Math.fma(a * a, 3 * TANH_CUBIC, 1f) * TANH_SCALE;
      float t = VectorMath.tanh(inner);
      float change = (1f - t * t) * innerSlope * a * 0.5f;
      float slope = (t + 1f) * 0.5f + change;
      set(dx + 4 * i, Math.fma(get(dy + 4 * i), slope, get(dx + 4 * i)));
    }
  }
}
