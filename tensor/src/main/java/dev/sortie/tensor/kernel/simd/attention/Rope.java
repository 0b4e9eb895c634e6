package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Rotary position embedding; {@code y} may be {@code x}. */
final class Rope {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LANES = Width.LANES;

  private Rope() {}

  static void run(WorkerPool pool, AttentionCall.Rope call) {
    RopeShape s = call.shape();
    long x = call.x().address();
    long cos = call.cos().address();
    long sin = call.sin().address();
    long y = call.y().address();
    int half = s.rotary() / 2;
    int token = s.heads() * s.headSize();
    float sign = call.inverse() ? -1f : 1f;
    pool.range(
        Math.multiplyExact(s.batch(), s.tokens()),
        Split.grain(token),
        (from, to) -> {
          for (int t = from; t < to; t++) {
            long table = 4L * (s.first() + t % s.tokens()) * half;
            for (int h = 0; h < s.heads(); h++) {
              long at = 4 * ((long) t * token + (long) h * s.headSize());
              if (s.interleaved()) {
                neighbours(x + at, cos + table, sin + table, y + at, half, sign);
              } else {
                halves(x + at, cos + table, sin + table, y + at, half, sign);
              }
              if (x != y && s.rotary() < s.headSize()) {
                long rest = at + 4L * s.rotary();
                Conversions.copyBytes(x + rest, y + rest, 4L * (s.headSize() - s.rotary()));
              }
            }
          }
        });
  }

  private static void halves(long x, long cos, long sin, long y, int half, float sign) {
    int j = 0;
    for (; j <= half - LANES; j += LANES) {
      FloatVector a = FloatVector.fromMemorySegment(F, MEMORY, x + 4L * j, ORDER);
      FloatVector b = FloatVector.fromMemorySegment(F, MEMORY, x + 4L * (j + half), ORDER);
      FloatVector c = FloatVector.fromMemorySegment(F, MEMORY, cos + 4L * j, ORDER);
      FloatVector w = FloatVector.fromMemorySegment(F, MEMORY, sin + 4L * j, ORDER).mul(sign);
      a.fma(c, b.mul(w).neg()).intoMemorySegment(MEMORY, y + 4L * j, ORDER);
      b.fma(c, a.mul(w)).intoMemorySegment(MEMORY, y + 4L * (j + half), ORDER);
    }
    for (; j < half; j++) {
      rotate(
          x + 4L * j,
          x + 4L * (j + half),
          get(cos + 4L * j),
          sign * get(sin + 4L * j),
          y + 4L * j,
          y + 4L * (j + half));
    }
  }

  private static void neighbours(long x, long cos, long sin, long y, int half, float sign) {
    for (int j = 0; j < half; j++) {
      rotate(
          x + 8L * j,
          x + 8L * j + 4,
          get(cos + 4L * j),
          sign * get(sin + 4L * j),
          y + 8L * j,
          y + 8L * j + 4);
    }
  }

  private static void rotate(long x0, long x1, float cos, float sin, long y0, long y1) {
    float a = get(x0);
    float b = get(x1);
    set(y0, Math.fma(a, cos, -(b * sin)));
    set(y1, Math.fma(b, cos, a * sin));
  }
}
