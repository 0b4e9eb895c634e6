package dev.sortie.benchmarks.limit;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Reading memory once: what decoding does with its weights. Four streams, each a quarter of a
 * block, and a {@code long} index with {@code !=}, which the compiler does not unroll further: the
 * prefetchers like it better. On two Zen 4 cores blocks of 64 KiB gave 52 GB/s, quarters of the
 * whole memory 37, one stream 36; with one core 26, 33 and 32: so both block sizes are tried.
 */
final class ReadBandwidth {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int WIDTH = F.vectorByteSize();

  private ReadBandwidth() {}

  /**
   * The sum of all floats: it depends on every byte.
   *
   * @param block bytes of a block, a divisor of the length and a multiple of 4 vectors
   */
  static float sum(MemorySegment s, long block) {
    float sum = 0;
    for (long at = 0; at < s.byteSize(); at += block) {
      sum += block(s, at, block / 4);
    }
    return sum;
  }

  private static float block(MemorySegment s, long from, long quarter) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    ByteOrder order = ByteOrder.nativeOrder();
    long end = from + quarter;
    for (long at = from; at != end; at += WIDTH) {
      a = a.add(FloatVector.fromMemorySegment(F, s, at, order));
      b = b.add(FloatVector.fromMemorySegment(F, s, at + quarter, order));
      c = c.add(FloatVector.fromMemorySegment(F, s, at + 2 * quarter, order));
      d = d.add(FloatVector.fromMemorySegment(F, s, at + 3 * quarter, order));
    }
    return a.add(b).add(c.add(d)).lane(0);
  }
}
