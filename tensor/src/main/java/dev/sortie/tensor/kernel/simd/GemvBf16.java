package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Gemv#one} for BF16 weights, widened in registers; the same bits as for the widened
 * weights.
 */
final class GemvBf16 {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = PackWiden.I;
  private static final VectorSpecies<Short> S = PackWiden.S;
  private static final int LANES = F.length();
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private GemvBf16() {}

  private static FloatVector load(long address) {
    return ((IntVector)
            ShortVector.fromMemorySegment(S, MEMORY, address, ORDER)
                .convertShape(VectorOperators.S2I, I, 0))
        .lanewise(VectorOperators.LSHL, 16)
        .reinterpretAsFloats();
  }

  /** {@code count} weight rows with one row of x. */
  static void one(long x, long w, long sums, long count, long k) {
    long quads = k / (4 * LANES) * (4 * BYTES);
    long vectors = k / LANES * BYTES;
    for (long j = 0; j < count; j++) {
      long row = w + 2 * j * k;
      FloatVector a = FloatVector.zero(F);
      FloatVector b = FloatVector.zero(F);
      FloatVector c = FloatVector.zero(F);
      FloatVector d = FloatVector.zero(F);
      for (long o = 0; o != quads; o += 4 * BYTES) {
        a = load(row + o / 2).fma(FloatVector.fromMemorySegment(F, MEMORY, x + o, ORDER), a);
        b =
            load(row + o / 2 + BYTES / 2)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + BYTES, ORDER), b);
        c =
            load(row + o / 2 + BYTES)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + 2 * BYTES, ORDER), c);
        d =
            load(row + o / 2 + 3 * BYTES / 2)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + 3 * BYTES, ORDER), d);
      }
      for (long o = quads; o != vectors; o += BYTES) {
        a = load(row + o / 2).fma(FloatVector.fromMemorySegment(F, MEMORY, x + o, ORDER), a);
      }
      a.add(b).add(c.add(d)).intoMemorySegment(MEMORY, sums + j * BYTES, ORDER);
    }
  }
}
