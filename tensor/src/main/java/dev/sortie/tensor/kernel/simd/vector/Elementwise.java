package dev.sortie.tensor.kernel.simd.vector;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.AdamWCall;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Element-wise loops over {@code n} floats at absolute addresses. Outputs may be inputs. */
public final class Elementwise {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long LANES = F.length();

  private Elementwise() {}

  public static void fill(long y, long n, float value) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.broadcast(F, value).intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(y + 4 * i, value);
    }
  }

  /**
   * Four vectors per iteration, read before the first is written: where many calls are short, such
   * as sums of a few numbers between ranks, C2 can leave a loop of one vector per iteration as it
   * stands, its checks included, for long calls too. 512 KiB plus 512 KiB after 20,000 calls of two
   * floats: 8 to 12 µs in each of 10 JVMs, with one vector per iteration 28 to 49 in 5 of 8 (Zen 5,
   * 512 bits).
   */
  public static void add(long x, long y, long z, long n) {
    long i = 0;
    for (; i <= n - 4 * LANES; i += 4 * LANES) {
      long p = x + 4 * i;
      long q = y + 4 * i;
      long r = z + 4 * i;
      FloatVector a =
          FloatVector.fromMemorySegment(F, MEMORY, p, ORDER)
              .add(FloatVector.fromMemorySegment(F, MEMORY, q, ORDER));
      FloatVector b =
          FloatVector.fromMemorySegment(F, MEMORY, p + 4 * LANES, ORDER)
              .add(FloatVector.fromMemorySegment(F, MEMORY, q + 4 * LANES, ORDER));
      FloatVector c =
          FloatVector.fromMemorySegment(F, MEMORY, p + 8 * LANES, ORDER)
              .add(FloatVector.fromMemorySegment(F, MEMORY, q + 8 * LANES, ORDER));
      FloatVector d =
          FloatVector.fromMemorySegment(F, MEMORY, p + 12 * LANES, ORDER)
              .add(FloatVector.fromMemorySegment(F, MEMORY, q + 12 * LANES, ORDER));
      a.intoMemorySegment(MEMORY, r, ORDER);
      b.intoMemorySegment(MEMORY, r + 4 * LANES, ORDER);
      c.intoMemorySegment(MEMORY, r + 8 * LANES, ORDER);
      d.intoMemorySegment(MEMORY, r + 12 * LANES, ORDER);
    }
    addRest(x, y, z, i, n);
  }

  private static void addRest(long x, long y, long z, long from, long n) {
    long i = from;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
          .add(FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, z + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(z + 4 * i, get(x + 4 * i) + get(y + 4 * i));
    }
  }

  public static void mul(long x, long y, long z, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
          .mul(FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, z + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(z + 4 * i, get(x + 4 * i) * get(y + 4 * i));
    }
  }

  public static void mulAdd(long x, long y, long z, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
          .fma(
              FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER),
              FloatVector.fromMemorySegment(F, MEMORY, z + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, z + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(z + 4 * i, Math.fma(get(x + 4 * i), get(y + 4 * i), get(z + 4 * i)));
    }
  }

  public static void scale(float a, long x, long y, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER)
          .mul(a)
          .intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(y + 4 * i, get(x + 4 * i) * a);
    }
  }

  public static void axpy(float a, long x, long y, long n) {
    long i = 0;
    FloatVector factor = FloatVector.broadcast(F, a);
    for (; i <= n - LANES; i += LANES) {
      factor
          .fma(
              FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER),
              FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(y + 4 * i, Math.fma(a, get(x + 4 * i), get(y + 4 * i)));
    }
  }

  public static void addScalar(float a, long y, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER)
          .add(a)
          .intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(y + 4 * i, get(y + 4 * i) + a);
    }
  }

  public static void adamW(long param, long grad, long m, long v, long n, AdamWCall o) {
    float scale = (float) o.gradScale();
    float beta1 = (float) o.beta1();
    float beta2 = (float) o.beta2();
    float rest1 = (float) (1 - o.beta1());
    float rest2 = (float) (1 - o.beta2());
    float unbias1 = (float) (1 / o.correction1());
    float unbias2 = (float) (1 / o.correction2());
    float epsilon = (float) o.epsilon();
    float rate = (float) o.learningRate();
    float decay = (float) o.weightDecay();
    FloatVector keep1 = FloatVector.broadcast(F, beta1);
    FloatVector keep2 = FloatVector.broadcast(F, beta2);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector g = FloatVector.fromMemorySegment(F, MEMORY, grad + 4 * i, ORDER).mul(scale);
      FloatVector first =
          keep1.fma(FloatVector.fromMemorySegment(F, MEMORY, m + 4 * i, ORDER), g.mul(rest1));
      FloatVector second =
          keep2.fma(
              FloatVector.fromMemorySegment(F, MEMORY, v + 4 * i, ORDER), g.mul(g).mul(rest2));
      first.intoMemorySegment(MEMORY, m + 4 * i, ORDER);
      second.intoMemorySegment(MEMORY, v + 4 * i, ORDER);
      FloatVector p = FloatVector.fromMemorySegment(F, MEMORY, param + 4 * i, ORDER);
      FloatVector step = first.mul(unbias1).div(second.mul(unbias2).sqrt().add(epsilon));
      step = FloatVector.broadcast(F, decay).fma(p, step);
      FloatVector.broadcast(F, -rate).fma(step, p).intoMemorySegment(MEMORY, param + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      float g = get(grad + 4 * i) * scale;
      float first = Math.fma(beta1, get(m + 4 * i), g * rest1);
      float second = Math.fma(beta2, get(v + 4 * i), g * g * rest2);
      set(m + 4 * i, first);
      set(v + 4 * i, second);
      float p = get(param + 4 * i);
      float step = first * unbias1 / ((float) Math.sqrt(second * unbias2) + epsilon);
      step = Math.fma(decay, p, step);
      set(param + 4 * i, Math.fma(-rate, step, p));
    }
  }
}
