package dev.sortie.tensor.kernel.simd.vector;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.DropoutMask;
import dev.sortie.tensor.kernel.Philox;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Multiplies floats by the factors of a {@link DropoutMask}. Each lane of a vector of longs draws
 * the bits of four neighbours, as {@link Philox#bits} does. Seen as a vector of integers, a lane
 * has the bits of two, and the whole vector those of its elements in their order.
 *
 * <p>Bits are drawn and used in loops of their own, with an array between them: in one loop C2 left
 * a vector as an object in each step, and in some JVMs the masks of a comparison, which is one of
 * integers for that reason. 11 million elements take 5.8 ms, and took 64 one by one (Zen 5, 512
 * bits, one thread).
 */
public final class DropoutLoop {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final VectorSpecies<Long> L = F.withLanes(long.class);
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LANES = F.length();

  /** Elements that a vector of longs draws for. */
  private static final int DRAWN = 2 * LANES;

  /** Elements whose bits are drawn at a time. */
  private static final int CHUNK = 1024;

  /** Each lane of the lower half twice, and each of the upper half. */
  private static final VectorShuffle<Integer> LOWER = VectorShuffle.fromOp(I, i -> i / 2);

  private static final VectorShuffle<Integer> UPPER = VectorShuffle.fromOp(I, i -> (LANES + i) / 2);

  /** Moves the upper 16 bits down, in every second lane. */
  private static final IntVector SHIFTS = IntVector.zero(I).addIndex(1).and(1).mul(16);

  private static final LongVector STEPS = LongVector.zero(L).addIndex(1);

  /** 32 bits: C2 knows a product of two numbers masked so as one of 32-bit numbers. */
  private static final long LOW = 0xffffffffL;

  private DropoutLoop() {}

  /**
   * {@code y = x * factor}, or {@code y += x * factor}.
   *
   * @param from number of the first element, in the tensor of the mask
   * @param x address of that element
   * @param y address of that element; may be {@code x}
   */
  public static void run(DropoutMask mask, long from, long x, long y, long n, boolean add) {
    long shared = (mask.first() + from) % DropoutMask.SHARED;
    long head = shared == 0 ? 0 : Math.min(n, DropoutMask.SHARED - shared);
    long whole = head + (n - head) / DRAWN * DRAWN;
    each(mask, from, x, y, 0, head, add);
    vectors(mask, (mask.first() + from + head) / DropoutMask.SHARED, x, y, head, whole, add);
    each(mask, from, x, y, whole, n, add);
  }

  private static void each(
      DropoutMask mask, long from, long x, long y, long start, long end, boolean add) {
    for (long i = start; i < end; i++) {
      float factor = mask.factor(from + i);
      float value = get(x + 4 * i);
      set(y + 4 * i, add ? Math.fma(value, factor, get(y + 4 * i)) : value * factor);
    }
  }

  private static void vectors(
      DropoutMask mask, long number, long x, long y, long start, long end, boolean add) {
    int[] bits = new int[CHUNK / 2];
    for (long i = start; i < end; i += CHUNK) {
      int count = (int) Math.min(CHUNK, end - i);
      draw(mask, number + (i - start) / DropoutMask.SHARED, count / 2, bits);
      multiply(mask, bits, count, x + 4 * i, y + 4 * i, add);
    }
  }

  private static void draw(DropoutMask mask, long number, int count, int[] to) {
    for (int i = 0; i < count; i += LANES) {
      bits(mask.seed(), mask.stream(), number + i / 2).reinterpretAsInts().intoArray(to, i);
    }
  }

  private static void multiply(
      DropoutMask mask, int[] bits, int count, long x, long y, boolean add) {
    IntVector kept = IntVector.broadcast(I, Float.floatToRawIntBits(mask.kept()));
    IntVector last = IntVector.broadcast(I, mask.dropped() - 1);
    for (int i = 0; i < count; i += DRAWN) {
      IntVector both = IntVector.fromArray(I, bits, i / 2);
      multiply(kept, last, both.rearrange(LOWER), x + 4L * i, y + 4L * i, add);
      multiply(kept, last, both.rearrange(UPPER), x + 4L * (i + LANES), y + 4L * (i + LANES), add);
    }
  }

  private static void multiply(
      IntVector kept, IntVector last, IntVector bits, long x, long y, boolean add) {
    IntVector draws = bits.lanewise(VectorOperators.LSHR, SHIFTS).and(DropoutMask.PARTS - 1);
    // all ones where the difference is negative
    IntVector stays = last.sub(draws).lanewise(VectorOperators.ASHR, Integer.SIZE - 1);
    FloatVector factors = stays.and(kept).reinterpretAsFloats();
    FloatVector values = FloatVector.fromMemorySegment(F, MEMORY, x, ORDER);
    FloatVector result =
        add
            ? values.fma(factors, FloatVector.fromMemorySegment(F, MEMORY, y, ORDER))
            : values.mul(factors);
    result.intoMemorySegment(MEMORY, y, ORDER);
  }

  /** {@link Philox#bits} of as many numbers as there are lanes, from one on. */
  private static LongVector bits(long seed, long stream, long number) {
    LongVector low = LongVector.broadcast(L, LOW);
    LongVector numbers = LongVector.broadcast(L, number).add(STEPS);
    LongVector c0 = numbers.and(low);
    LongVector c1 = numbers.lanewise(VectorOperators.LSHR, 32);
    LongVector c2 = LongVector.broadcast(L, stream & LOW);
    LongVector c3 = LongVector.broadcast(L, stream >>> 32);
    LongVector m0 = LongVector.broadcast(L, Philox.M0 & LOW).and(low);
    LongVector m1 = LongVector.broadcast(L, Philox.M1 & LOW).and(low);
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < Philox.ROUNDS; round++) {
      LongVector p0 = m0.mul(low.and(c0));
      LongVector p1 = m1.mul(low.and(c2));
      c0 = xor(p1.lanewise(VectorOperators.LSHR, 32), c1, k0 & LOW);
      c2 = xor(p0.lanewise(VectorOperators.LSHR, 32), c3, k1 & LOW);
      c1 = p1.and(low);
      c3 = p0.and(low);
      k0 += Philox.W0;
      k1 += Philox.W1;
    }
    return low.and(c1).lanewise(VectorOperators.LSHL, 32).or(c0);
  }

  private static LongVector xor(LongVector a, LongVector b, long c) {
    return a.lanewise(VectorOperators.XOR, b).lanewise(VectorOperators.XOR, c);
  }
}
