package dev.sortie.tensor.kernel.simd.convert;

import static dev.sortie.tensor.kernel.simd.convert.Dequantise.LANES;
import static dev.sortie.tensor.kernel.simd.convert.Dequantise.NONE;
import static dev.sortie.tensor.kernel.simd.convert.Dequantise.bytes;
import static dev.sortie.tensor.kernel.simd.convert.Dequantise.half;
import static dev.sortie.tensor.kernel.simd.convert.Dequantise.store;
import static dev.sortie.tensor.kernel.simd.convert.Dequantise.unsigned;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link Dequantise} for blocks of 256, in groups of 16 or 32 with scales of their own. Elements
 * {@code [from, to)} of a row; element i goes to {@code out + 4 i}.
 */
final class DequantiseK {
  private DequantiseK() {}

  static void q2(long row, long from, long to, long out) {
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 8) * 84;
      long e = i & 255;
      int scale = unsigned(block + (e >>> 4));
      IntVector q =
          bytes(block + 16 + (e >>> 7) * 32 + (e & 31))
              .lanewise(VectorOperators.LSHR, (int) ((e & 127) >>> 5 << 1))
              .and(3);
      float d = half(block + 80) * (scale & 15);
      store(q, d, -(half(block + 82) * (scale >> 4)), out + 4 * i);
    }
  }

  static void q3(long row, long from, long to, long out) {
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 8) * 110;
      long e = i & 255;
      int g = (int) (e >>> 4);
      int low = unsigned(block + 96 + g % 8) >> (g / 8 * 4) & 15;
      int high = unsigned(block + 104 + g % 4) >> (g / 4 * 2) & 3;
      IntVector bit =
          bytes(block + (e & 31))
              .lanewise(VectorOperators.LSHR, (int) (e >>> 5))
              .and(1)
              .lanewise(VectorOperators.LSHL, 2);
      IntVector q =
          bytes(block + 32 + (e >>> 7) * 32 + (e & 31))
              .lanewise(VectorOperators.LSHR, (int) ((e & 127) >>> 5 << 1))
              .and(3);
      float d = half(block + 108) * ((low | high << 4) - 32);
      store(q.or(bit).sub(4), d, NONE, out + 4 * i);
    }
  }

  static void q4(long row, long from, long to, long out) {
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 8) * 144;
      long e = i & 255;
      storeGroup(nibbles(block + 16, e), block, (int) (e >>> 5), out + 4 * i);
    }
  }

  static void q5(long row, long from, long to, long out) {
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 8) * 176;
      long e = i & 255;
      int g = (int) (e >>> 5);
      IntVector fifth =
          bytes(block + 16 + (e & 31))
              .lanewise(VectorOperators.LSHR, g)
              .and(1)
              .lanewise(VectorOperators.LSHL, 4);
      storeGroup(fifth.or(nibbles(block + 48, e)), block, g, out + 4 * i);
    }
  }

  /** The nibbles of element {@code e} of a block and those after it, from 128 bytes. */
  private static IntVector nibbles(long bytes, long e) {
    return bytes(bytes + (e >>> 6) * 32 + (e & 31))
        .lanewise(VectorOperators.LSHR, (int) (e >>> 5) % 2 * 4)
        .and(15);
  }

  /** Stores elements of group {@code g} of a block of Q4_K or Q5_K, whose scales lie alike. */
  private static void storeGroup(IntVector q, long block, int g, long out) {
    float m = half(block + 2) * minimum(block + 4, g);
    store(q, half(block) * scale(block + 4, g), -m, out);
  }

  /** The 6-bit scale of group {@code g} among the 12 bytes at {@code s}. */
  private static int scale(long s, int g) {
    return g < 4 ? unsigned(s + g) & 63 : unsigned(s + g + 4) & 15 | unsigned(s + g - 4) >> 6 << 4;
  }

  /** The 6-bit minimum. */
  private static int minimum(long s, int g) {
    return g < 4 ? unsigned(s + g + 4) & 63 : unsigned(s + g + 4) >> 4 | unsigned(s + g) >> 6 << 4;
  }

  static void q6(long row, long from, long to, long out) {
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 8) * 210;
      long e = i & 255;
      IntVector high =
          bytes(block + 128 + (e >>> 7) * 32 + (e & 31))
              .lanewise(VectorOperators.LSHR, (int) ((e & 127) >>> 5 << 1))
              .and(3)
              .lanewise(VectorOperators.LSHL, 4);
      IntVector low =
          bytes(block + (e >>> 7) * 64 + (e & 63))
              .lanewise(VectorOperators.LSHR, (int) ((e & 127) >>> 6 << 2))
              .and(15);
      float d = half(block + 208) * MEMORY.get(JAVA_BYTE, block + 192 + (e >>> 4));
      store(low.or(high).sub(32), d, NONE, out + 4 * i);
    }
  }
}
