package dev.sortie.tensor.dtype;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The quantised block layouts of GGUF, decoded one block at a time: the slow twin of the kernels
 * that read them in place. Little-endian; d and m are F16.
 *
 * <pre>
 * Q8_0    d  q[32]: int8                            x = d q
 * Q4_0    d  q[16]: two nibbles                     x = d (q - 8)
 * Q4_1    d m  q[16]                                x = d q + m
 * Q5_0    d  h: 32 fifth bits  q[16]                x = d (q - 16)
 * Q5_1    d m  h  q[16]                             x = d q + m
 * IQ4_NL  d  q[16]                                  x = d table[q]
 * Q2_K    s[16]: scale, min nibbles  q[64]  d m     x = d s q - m s'
 * Q3_K    h[32]  q[64]  s[12]: 6-bit scales  d      x = d (s - 32) (q - 4)
 * Q4_K    d m  s[12]: 6-bit scales, mins  q[128]    x = d s q - m s'
 * Q5_K    d m  s[12]  h[32]  q[128]                 x = d s q - m s'
 * Q6_K    q[128]  h[64]  s[16]: int8  d             x = d s (q - 32)
 * IQ4_XS  d  s[6]: high, then low scales  q[128]    x = d (s - 32) table[q]
 * </pre>
 *
 * <p>Within a group of 32, nibbles hold the first half of the elements low and the second half
 * high. Products of a scale and a quantum are exact in F32 but for Q6_K and IQ4_XS, whose products
 * of both scales are; so a decoded element is rounded once, and an fma gives the same bits.
 */
public final class Blocks {
  private static final byte[] NON_LINEAR = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  /** Added where a type has no minimum: unlike 0 it leaves a negative zero as it is. */
  private static final float NONE = -0f;

  private Blocks() {}

  /** Element {@code index} of the run of blocks that starts at byte {@code at}. Very slow. */
  public static float value(DType type, MemorySegment src, long at, long index) {
    float[] block = new float[type.block()];
    decode(type, src, at + index / type.block() * type.blockBytes(), block, 0);
    return block[(int) (index % type.block())];
  }

  /** Decodes the block at byte {@code at} to {@code out[to ..]}. */
  public static void decode(DType type, MemorySegment src, long at, float[] out, int to) {
    switch (type) {
      case Q8_0 -> {
        float d = half(src, at);
        for (int i = 0; i < 32; i++) {
          out[to + i] = d * src.get(JAVA_BYTE, at + 2 + i);
        }
      }
      case Q4_0 -> nibbles(src, at + 2, half(src, at), -8, NONE, 0, out, to);
      case Q4_1 -> nibbles(src, at + 4, half(src, at), 0, half(src, at + 2), 0, out, to);
      case Q5_0 ->
          nibbles(
              src, at + 6, half(src, at), -16, NONE, src.get(JAVA_INT_UNALIGNED, at + 2), out, to);
      case Q5_1 ->
          nibbles(
              src,
              at + 8,
              half(src, at),
              0,
              half(src, at + 2),
              src.get(JAVA_INT_UNALIGNED, at + 4),
              out,
              to);
      case IQ4_NL -> entries(src, at + 2, half(src, at), out, to);
      case Q2_K -> q2k(src, at, out, to);
      case Q3_K -> q3k(src, at, out, to);
      case Q4_K -> q45k(src, at, 0, at + 16, out, to);
      case Q5_K -> q45k(src, at, at + 16, at + 48, out, to);
      case Q6_K -> q6k(src, at, out, to);
      case IQ4_XS -> iq4xs(src, at, out, to);
      case F32, F64, BF16, F16, I32 ->
          throw new IllegalArgumentException(type + " is not a quantised type");
    }
  }

  /**
   * Where in a block its F16 scales lie, in bytes: a block whose scales are finite has finite
   * elements only.
   */
  public static int[] scales(DType type) {
    return switch (type) {
      case Q8_0, Q4_0, Q5_0, IQ4_NL, IQ4_XS -> new int[] {0};
      case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
      case Q2_K -> new int[] {80, 82};
      case Q3_K -> new int[] {108};
      case Q6_K -> new int[] {208};
      case F32, F64, BF16, F16, I32 ->
          throw new IllegalArgumentException(type + " is not a quantised type");
    };
  }

  /** The level that nibble {@code q} of IQ4_NL and IQ4_XS stands for, before its scale. */
  public static int nonLinear(int q) {
    return NON_LINEAR[q];
  }

  private static float half(MemorySegment src, long at) {
    return Float.float16ToFloat(src.get(JAVA_SHORT_UNALIGNED, at));
  }

  private static int unsigned(MemorySegment src, long at) {
    return src.get(JAVA_BYTE, at) & 0xff;
  }

  private static void nibbles(
      MemorySegment src, long at, float d, int offset, float m, int high, float[] out, int to) {
    for (int i = 0; i < 16; i++) {
      int q = unsigned(src, at + i);
      int low = (q & 15) + ((high >>> i & 1) << 4) + offset;
      int top = (q >> 4) + ((high >>> (i + 16) & 1) << 4) + offset;
      out[to + i] = d * low + m;
      out[to + i + 16] = d * top + m;
    }
  }

  private static void iq4xs(MemorySegment src, long at, float[] out, int to) {
    float d = half(src, at);
    for (int g = 0; g < 8; g++) {
      entries(src, at + 8 + 16 * g, d * entryScale(src, at + 2, g), out, to + 32 * g);
    }
  }

  /** The scale of group {@code g} of IQ4_XS among the 6 bytes at {@code s}: -32 to 31. */
  static int entryScale(MemorySegment src, long s, int g) {
    int high = unsigned(src, s + g / 4) >> g % 4 * 2 & 3;
    int low = unsigned(src, s + 2 + g / 2) >> g % 2 * 4 & 15;
    return (low | high << 4) - 32;
  }

  private static void entries(MemorySegment src, long at, float d, float[] out, int to) {
    for (int i = 0; i < 16; i++) {
      int q = unsigned(src, at + i);
      out[to + i] = d * NON_LINEAR[q & 15];
      out[to + i + 16] = d * NON_LINEAR[q >> 4];
    }
  }

  private static void q2k(MemorySegment src, long at, float[] out, int to) {
    float d = half(src, at + 80);
    float m = half(src, at + 82);
    for (int g = 0; g < 16; g++) {
      int scale = unsigned(src, at + g);
      float dg = d * (scale & 15);
      float mg = m * (scale >> 4);
      long q = at + 16 + g / 8 * 32 + g % 2 * 16;
      int shift = g % 8 / 2 * 2;
      for (int i = 0; i < 16; i++) {
        out[to + 16 * g + i] = dg * (unsigned(src, q + i) >> shift & 3) - mg;
      }
    }
  }

  private static void q3k(MemorySegment src, long at, float[] out, int to) {
    float d = half(src, at + 108);
    for (int g = 0; g < 16; g++) {
      float dg = d * signedScale(src, at + 96, g);
      long q = at + 32 + g / 8 * 32 + g % 2 * 16;
      long h = at + g % 2 * 16;
      int shift = g % 8 / 2 * 2;
      for (int i = 0; i < 16; i++) {
        int bit = unsigned(src, h + i) >> (g / 2) & 1;
        out[to + 16 * g + i] = dg * ((unsigned(src, q + i) >> shift & 3) + 4 * bit - 4);
      }
    }
  }

  /** The scale of group {@code g} of Q3_K among the 12 bytes at {@code s}: -32 to 31. */
  static int signedScale(MemorySegment src, long s, int g) {
    int low = unsigned(src, s + g % 8) >> (g < 8 ? 0 : 4) & 15;
    int high = unsigned(src, s + 8 + g % 4) >> (g / 4 * 2) & 3;
    return (low | high << 4) - 32;
  }

  /** Q4_K, and Q5_K when {@code h}, the address of the fifth bits, is not 0. */
  private static void q45k(MemorySegment src, long at, long h, long q, float[] out, int to) {
    float d = half(src, at);
    float m = half(src, at + 2);
    for (int g = 0; g < 8; g++) {
      float dg = d * scale(src, at + 4, g);
      float mg = m * min(src, at + 4, g);
      for (int i = 0; i < 32; i++) {
        int low = unsigned(src, q + g / 2 * 32 + i) >> g % 2 * 4 & 15;
        int bit = h == 0 ? 0 : unsigned(src, h + i) >> g & 1;
        out[to + 32 * g + i] = dg * (low + 16 * bit) - mg;
      }
    }
  }

  /** The 6-bit scale of group {@code g} among the 12 bytes at {@code s}. */
  static int scale(MemorySegment src, long s, int g) {
    return g < 4
        ? unsigned(src, s + g) & 63
        : unsigned(src, s + g + 4) & 15 | unsigned(src, s + g - 4) >> 6 << 4;
  }

  /** The 6-bit minimum of group {@code g}. */
  static int min(MemorySegment src, long s, int g) {
    return g < 4
        ? unsigned(src, s + g + 4) & 63
        : unsigned(src, s + g + 4) >> 4 | unsigned(src, s + g) >> 6 << 4;
  }

  private static void q6k(MemorySegment src, long at, float[] out, int to) {
    float d = half(src, at + 208);
    for (int g = 0; g < 16; g++) {
      float dg = d * src.get(JAVA_BYTE, at + 192 + g);
      long q = at + g / 8 * 64 + g % 4 * 16;
      long h = at + 128 + g / 8 * 32 + g % 2 * 16;
      int nibble = g % 8 / 4 * 4;
      int shift = g % 8 / 2 * 2;
      for (int i = 0; i < 16; i++) {
        int low = unsigned(src, q + i) >> nibble & 15;
        int high = unsigned(src, h + i) >> shift & 3;
        out[to + 16 * g + i] = dg * ((low | high << 4) - 32);
      }
    }
  }
}
