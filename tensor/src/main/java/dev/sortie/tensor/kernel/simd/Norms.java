package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.NormCall;
import dev.sortie.tensor.kernel.simd.vector.Lanes;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.memory.Span;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * RMSNorm and LayerNorm, one row or some columns per call. Row gradients are split over rows,
 * weight gradients over columns, so that each sum is one thread's and its order is fixed.
 */
final class Norms {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long LANES = F.length();

  private Norms() {}

  static void run(WorkerPool pool, NormCall call) {
    switch (call) {
      case NormCall.RmsNorm c -> rms(pool, c);
      case NormCall.RmsNormBackward c -> rmsBackward(pool, c);
      case NormCall.LayerNorm c -> layer(pool, c);
      case NormCall.LayerNormBackward c -> layerBackward(pool, c);
    }
  }

  private static void rms(WorkerPool pool, NormCall.RmsNorm call) {
    long x = call.x().address();
    long w = call.w().address();
    double eps = call.eps();
    long y = call.y().address();
    long rstd = call.rstd().address();
    int rows = call.rows();
    int cols = call.cols();
    pool.range(
        rows,
        Split.grain(cols),
        (from, to) -> {
          for (long r = from; r < to; r++) {
            set(rstd + 4 * r, rmsRow(x + 4 * r * cols, w, eps, y + 4 * r * cols, cols));
          }
        });
  }

  private static void rmsBackward(WorkerPool pool, NormCall.RmsNormBackward call) {
    long x = call.x().address();
    long w = call.w().address();
    long rstd = call.rstd().address();
    long dy = call.dy().address();
    long dx = orZero(call.dx());
    long dw = orZero(call.dw());
    int rows = call.rows();
    int cols = call.cols();
    if (dx != 0) {
      pool.range(
          rows,
          Split.grain(cols),
          (from, to) -> {
            for (long r = from; r < to; r++) {
              long at = 4 * r * cols;
              rmsBackwardRow(x + at, w, get(rstd + 4 * r), dy + at, dx + at, cols);
            }
          });
    }
    if (dw != 0) {
      Split.columns(
          pool, cols, rows, (from, to) -> weightGradient(x, 0, rstd, dy, dw, rows, cols, from, to));
    }
  }

  private static void layer(WorkerPool pool, NormCall.LayerNorm call) {
    long x = call.x().address();
    long w = call.w().address();
    long b = orZero(call.b());
    double eps = call.eps();
    long y = call.y().address();
    long mean = call.mean().address();
    long rstd = call.rstd().address();
    int rows = call.rows();
    int cols = call.cols();
    pool.range(
        rows,
        Split.grain(cols),
        (from, to) -> {
          for (long r = from; r < to; r++) {
            long at = 4 * r * cols;
            layerRow(x + at, w, b, eps, y + at, mean + 4 * r, rstd + 4 * r, cols);
          }
        });
  }

  private static void layerBackward(WorkerPool pool, NormCall.LayerNormBackward call) {
    long x = call.x().address();
    long w = call.w().address();
    long mean = call.mean().address();
    long rstd = call.rstd().address();
    long dy = call.dy().address();
    long dx = orZero(call.dx());
    long dw = orZero(call.dw());
    int rows = call.rows();
    int cols = call.cols();
    if (dx != 0) {
      pool.range(
          rows,
          Split.grain(cols),
          (from, to) -> {
            for (long r = from; r < to; r++) {
              long at = 4 * r * cols;
              layerBackwardRow(
                  x + at, w, get(mean + 4 * r), get(rstd + 4 * r), dy + at, dx + at, cols);
            }
          });
    }
    if (dw != 0) {
      Split.columns(
          pool,
          cols,
          rows,
          (from, to) -> weightGradient(x, mean, rstd, dy, dw, rows, cols, from, to));
    }
    if (call.db() != null) {
      Sums.rows(pool, call.dy(), call.db(), rows, cols);
    }
  }

  /** The address of an operand, 0 if it is missing. */
  private static long orZero(Span optional) {
    return optional == null ? 0 : optional.address();
  }

  /** One row of RMSNorm; returns its rstd. */
  private static float rmsRow(long x, long w, double eps, long y, long n) {
    float rstd = (float) (1 / Math.sqrt((double) Sums.dot(x, x, n) / n + eps));
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
          .mul(rstd)
          .mul(FloatVector.fromMemorySegment(F, MEMORY, w + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(y + 4 * i, get(x + 4 * i) * rstd * get(w + 4 * i));
    }
    return rstd;
  }

  /** {@code Σ x w dy} of one row. */
  private static float dot3(long x, long w, long dy, long n) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = FloatVector.zero(F);
    long i = 0;
    for (; i <= n - 2 * LANES; i += 2 * LANES) {
      s0 =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
              .mul(FloatVector.fromMemorySegment(F, MEMORY, w + 4 * i, ORDER))
              .fma(FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * i, ORDER), s0);
      long j = i + LANES;
      s1 =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * j, ORDER)
              .mul(FloatVector.fromMemorySegment(F, MEMORY, w + 4 * j, ORDER))
              .fma(FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * j, ORDER), s1);
    }
    float sum = Lanes.sum(s0.add(s1));
    for (; i < n; i++) {
      sum = Math.fma(get(x + 4 * i) * get(w + 4 * i), get(dy + 4 * i), sum);
    }
    return sum;
  }

  /** One row of {@code dx += rstd (w dy - x̂ mean(w dy x̂))}, {@code x̂ = x rstd}. */
  private static void rmsBackwardRow(long x, long w, float rstd, long dy, long dx, long n) {
    float back = -rstd * rstd * rstd * dot3(x, w, dy, n) / n;
    FloatVector factor = FloatVector.broadcast(F, back);
    FloatVector scale = FloatVector.broadcast(F, rstd);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector g =
          FloatVector.fromMemorySegment(F, MEMORY, w + 4 * i, ORDER)
              .mul(FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * i, ORDER));
      FloatVector d =
          factor.fma(
              FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER),
              FloatVector.fromMemorySegment(F, MEMORY, dx + 4 * i, ORDER));
      scale.fma(g, d).intoMemorySegment(MEMORY, dx + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      float g = get(w + 4 * i) * get(dy + 4 * i);
      float d = Math.fma(back, get(x + 4 * i), get(dx + 4 * i));
      set(dx + 4 * i, Math.fma(rstd, g, d));
    }
  }

  /**
   * {@code dw[c] += Σ_r dy[r,c] (x[r,c] - mean[r]) rstd[r]} for columns {@code [from, to)}; {@code
   * mean} 0 means none.
   */
  private static void weightGradient(
      long x, long mean, long rstd, long dy, long dw, long rows, long cols, long from, long to) {
    long c = from;
    for (; c <= to - 2 * LANES; c += 2 * LANES) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = FloatVector.zero(F);
      for (long r = 0; r < rows; r++) {
        long at = 4 * (r * cols + c);
        float center = mean == 0 ? 0f : get(mean + 4 * r);
        float scale = get(rstd + 4 * r);
        s0 =
            FloatVector.fromMemorySegment(F, MEMORY, x + at, ORDER)
                .sub(center)
                .mul(scale)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, dy + at, ORDER), s0);
        at += 4 * LANES;
        s1 =
            FloatVector.fromMemorySegment(F, MEMORY, x + at, ORDER)
                .sub(center)
                .mul(scale)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, dy + at, ORDER), s1);
      }
      FloatVector.fromMemorySegment(F, MEMORY, dw + 4 * c, ORDER)
          .add(s0)
          .intoMemorySegment(MEMORY, dw + 4 * c, ORDER);
      FloatVector.fromMemorySegment(F, MEMORY, dw + 4 * (c + LANES), ORDER)
          .add(s1)
          .intoMemorySegment(MEMORY, dw + 4 * (c + LANES), ORDER);
    }
    for (; c < to; c++) {
      float sum = 0;
      for (long r = 0; r < rows; r++) {
        long at = 4 * (r * cols + c);
        float center = mean == 0 ? 0f : get(mean + 4 * r);
        sum = Math.fma((get(x + at) - center) * get(rstd + 4 * r), get(dy + at), sum);
      }
      set(dw + 4 * c, get(dw + 4 * c) + sum);
    }
  }

  /** One row of LayerNorm, {@code b} 0 means none; stores its mean and rstd. */
  private static void layerRow(
      long x, long w, long b, double eps, long y, long mean, long rstd, long n) {
    float center = (float) ((double) Sums.row(x, n) / n);
    float scale = (float) (1 / Math.sqrt(squares(x, center, n) / n + eps));
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector bias =
          b == 0 ? FloatVector.zero(F) : FloatVector.fromMemorySegment(F, MEMORY, b + 4 * i, ORDER);
      FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
          .sub(center)
          .mul(scale)
          .fma(FloatVector.fromMemorySegment(F, MEMORY, w + 4 * i, ORDER), bias)
          .intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      float bias = b == 0 ? 0f : get(b + 4 * i);
      set(y + 4 * i, Math.fma((get(x + 4 * i) - center) * scale, get(w + 4 * i), bias));
    }
    set(mean, center);
    set(rstd, scale);
  }

  /** {@code Σ (x - center)²} of one row. */
  private static double squares(long x, float center, long n) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = FloatVector.zero(F);
    long i = 0;
    for (; i <= n - 2 * LANES; i += 2 * LANES) {
      FloatVector a = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).sub(center);
      FloatVector b =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * (i + LANES), ORDER).sub(center);
      s0 = a.fma(a, s0);
      s1 = b.fma(b, s1);
    }
    float sum = Lanes.sum(s0.add(s1));
    for (; i < n; i++) {
      float a = get(x + 4 * i) - center;
      sum = Math.fma(a, a, sum);
    }
    return sum;
  }

  /**
   * One row of {@code dx += rstd (g - mean(g) - x̂ mean(g x̂))}, {@code g = w dy}, {@code x̂ = (x -
   * mean) rstd}.
   */
  private static void layerBackwardRow(
      long x, long w, float mean, float rstd, long dy, long dx, long n) {
    float meanGrad = Sums.dot(w, dy, n) / n;
    float product = (dot3(x, w, dy, n) / n - mean * meanGrad) * rstd;
    FloatVector scale = FloatVector.broadcast(F, rstd);
    FloatVector factor = FloatVector.broadcast(F, -product);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector g =
          FloatVector.fromMemorySegment(F, MEMORY, w + 4 * i, ORDER)
              .mul(FloatVector.fromMemorySegment(F, MEMORY, dy + 4 * i, ORDER))
              .sub(meanGrad);
      FloatVector hat =
          FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).sub(mean).mul(rstd);
      scale
          .fma(factor.fma(hat, g), FloatVector.fromMemorySegment(F, MEMORY, dx + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, dx + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      float g = get(w + 4 * i) * get(dy + 4 * i) - meanGrad;
      float hat = (get(x + 4 * i) - mean) * rstd;
      set(dx + 4 * i, Math.fma(rstd, Math.fma(-product, hat, g), get(dx + 4 * i)));
    }
  }
}
