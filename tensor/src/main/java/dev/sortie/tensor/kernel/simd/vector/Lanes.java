package dev.sortie.tensor.kernel.simd.vector;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** Tiny steps that every kernel takes: a float at an address, the sum of the lanes. */
public final class Lanes {
  private static final VectorSpecies<Float> F = Width.F;
  public static final VectorShuffle<Float> BY_8 = VectorShuffle.iota(F, 8, 1, true);
  public static final VectorShuffle<Float> BY_4 = VectorShuffle.iota(F, 4, 1, true);
  public static final VectorShuffle<Float> BY_2 = VectorShuffle.iota(F, 2, 1, true);
  public static final VectorShuffle<Float> BY_1 = VectorShuffle.iota(F, 1, 1, true);

  private Lanes() {}

  public static float get(long address) {
    return MEMORY.get(JAVA_FLOAT_UNALIGNED, address);
  }

  public static void set(long address, float value) {
    MEMORY.set(JAVA_FLOAT_UNALIGNED, address, value);
  }

  /**
   * The sum of all lanes, halving. Not {@code reduceLanes}: the order of that one is unspecified,
   * and differs between interpreted and compiled code.
   */
  public static float sum(FloatVector v) {
    FloatVector s = v;
    if (F.length() >= 16) {
      s = s.add(s.rearrange(BY_8));
    }
    if (F.length() >= 8) {
      s = s.add(s.rearrange(BY_4));
    }
    if (F.length() >= 4) {
      s = s.add(s.rearrange(BY_2));
    }
    return s.add(s.rearrange(BY_1)).lane(0);
  }
}
