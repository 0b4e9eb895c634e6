package dev.sortie.benchmarks.limit;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Reading memory once, front to back: what decoding does with its weights. Four vectors a turn, and
 * a {@code long} index, which the compiler does not unroll further: the prefetchers like it better.
 */
final class ReadBandwidth {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int WIDTH = F.vectorByteSize();

  private ReadBandwidth() {}

  /** The sum of all floats: it depends on every byte. The length is a multiple of 4 vectors. */
  static float sum(MemorySegment s) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    ByteOrder order = ByteOrder.nativeOrder();
    for (long at = 0; at < s.byteSize(); at += 4L * WIDTH) {
      a = a.add(FloatVector.fromMemorySegment(F, s, at, order));
      b = b.add(FloatVector.fromMemorySegment(F, s, at + WIDTH, order));
      c = c.add(FloatVector.fromMemorySegment(F, s, at + 2L * WIDTH, order));
      d = d.add(FloatVector.fromMemorySegment(F, s, at + 3L * WIDTH, order));
    }
    return a.add(b).add(c.add(d)).lane(0);
  }
}
