package dev.sortie.tensor.dtype;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Encodes blocks of Q4_K: eight {@link GroupFit}s, whose scales and minima are rounded to 6 bits of
 * the largest one; then each element takes the nearest quantum under the rounded values. Both the
 * searched fits and those of the extremes are encoded so, and the better block is kept, for the
 * rounding can undo what the search gained.
 */
final class Q4KEncoder {
  private static final int GROUPS = 8;
  private static final int GROUP = 32;
  private static final int LARGEST = 63;

  private Q4KEncoder() {}

  static void encode(float[] x, int from, MemorySegment dst, long at) {
    GroupFit[] searched = new GroupFit[GROUPS];
    GroupFit[] plain = new GroupFit[GROUPS];
    for (int g = 0; g < GROUPS; g++) {
      searched[g] = GroupFit.search(x, from + g * GROUP, GROUP);
      plain[g] = GroupFit.ofExtremes(x, from + g * GROUP, GROUP);
    }
    write(plain, x, from, dst, at);
    double error = error(x, from, dst, at);
    write(searched, x, from, dst, at);
    if (error(x, from, dst, at) > error) {
      write(plain, x, from, dst, at);
    }
  }

  private static void write(GroupFit[] fits, float[] x, int from, MemorySegment dst, long at) {
    double scale = 0;
    double min = 0;
    for (GroupFit fit : fits) {
      scale = Math.max(scale, fit.scale());
      min = Math.max(min, fit.min());
    }
    double d = setHalf(dst, at, scale / LARGEST);
    double m = setHalf(dst, at + 2, min / LARGEST);
    for (long i = at + 4; i < at + 16; i++) {
      dst.set(JAVA_BYTE, i, (byte) 0);
    }
    for (int g = 0; g < GROUPS; g++) {
      int s = sixBits(fits[g].scale(), d);
      int n = sixBits(fits[g].min(), m);
      setScale(dst, at + 4, g, s);
      setScale(dst, at + 4, g + GROUPS, n);
      setQuanta(new GroupFit(d * s, m * n), g, x, from + g * GROUP, dst, at + 16);
    }
  }

  private static double setHalf(MemorySegment dst, long at, double value) {
    BlockEncoder.setHalf(DType.Q4_K, dst, at, (float) value);
    return Float.float16ToFloat(dst.get(JAVA_SHORT_UNALIGNED, at));
  }

  private static int sixBits(double value, double unit) {
    return unit == 0 ? 0 : (int) Math.min(LARGEST, Math.rint(value / unit));
  }

  /**
   * Scales are numbers 0 to 7, minima 8 to 15: the first four of each lie plain, the rest split.
   */
  private static void setScale(MemorySegment dst, long s, int index, int bits) {
    int g = index % GROUPS;
    int minimum = index / GROUPS;
    if (g < 4) {
      or(dst, s + g + 4 * minimum, bits);
    } else {
      or(dst, s + g + 4, (bits & 15) << 4 * minimum);
      or(dst, s + g - 4 + 4 * minimum, bits >> 4 << 6);
    }
  }

  private static void or(MemorySegment dst, long at, int bits) {
    dst.set(JAVA_BYTE, at, (byte) (dst.get(JAVA_BYTE, at) | bits));
  }

  /** Two groups share 32 bytes: the even one has the low nibbles and comes first. */
  private static void setQuanta(
      GroupFit fit, int g, float[] x, int from, MemorySegment dst, long quanta) {
    for (int i = 0; i < GROUP; i++) {
      int q = fit.quantum(x[from + i]);
      long to = quanta + g / 2 * GROUP + i;
      dst.set(JAVA_BYTE, to, (byte) (g % 2 == 0 ? q : dst.get(JAVA_BYTE, to) | q << 4));
    }
  }

  private static double error(float[] x, int from, MemorySegment dst, long at) {
    float[] decoded = new float[GROUPS * GROUP];
    Blocks.decode(DType.Q4_K, dst, at, decoded, 0);
    double sum = 0;
    for (int i = 0; i < decoded.length; i++) {
      double difference = (double) decoded[i] - x[from + i];
      sum += difference * difference;
    }
    return sum;
  }
}
