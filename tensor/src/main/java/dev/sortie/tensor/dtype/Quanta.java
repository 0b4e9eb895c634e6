package dev.sortie.tensor.dtype;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The integers of one quantised block, before any arithmetic: an element of group g is {@code d
 * scales[g] (levels[i] - centre) - dmin mins[g]}, see {@link Blocks}, where types without scales of
 * groups have one group of scale 1, and Q4_1 and Q5_1 add their minimum: it is minus {@code dmin}.
 * Filled again by each {@link #read}.
 */
public final class Quanta {
  /** The sign bit of an F16. */
  private static final int SIGN = 0x8000;

  /** 1 in each of eight bytes. */
  private static final long ONES = 0x0101010101010101L;

  /** The low half of each byte. */
  private static final long NIBBLES = 15 * ONES;

  /** The sign of each byte. */
  private static final long SIGNS = ONES << 7;

  private final DType type;

  /**
   * Levels from 0 on, a byte an element: eight in a long, the first one lowest. Those of IQ4_NL and
   * IQ4_XS are not equally spaced: they are entries of a table, plus 128.
   */
  public final long[] levels;

  /** The scale of each group: up to 6 bits without a sign, or up to 8 bits with one. */
  public final byte[] scales;

  /** The minimum of each group, 1 where the type has none of groups. */
  public final byte[] mins;

  /** The block's scale as F16. */
  public short d;

  /** The factor of the minima as F16; 0 where the type has none. */
  public short dmin;

  /** For blocks of {@code type}, which {@link #has} to be one of these. */
  public Quanta(DType type) {
    if (!has(type)) {
      throw new IllegalArgumentException("no levels of " + type);
    }
    this.type = type;
    levels = new long[type.block() / 8];
    int groups = groups(type);
    scales = new byte[groups];
    mins = new byte[groups];
    java.util.Arrays.fill(scales, (byte) 1);
    java.util.Arrays.fill(mins, (byte) 1);
  }

  /** Whether blocks of a type are read. */
  public static boolean has(DType type) {
    return type.block() > 1;
  }

  private static int groups(DType type) {
    return switch (type) {
      case Q4_K, Q5_K, IQ4_XS -> 8;
      case Q2_K, Q3_K, Q6_K -> 16;
      default -> 1;
    };
  }

  /** Takes the block at byte {@code at}. */
  public void read(MemorySegment src, long at) {
    d = src.get(JAVA_SHORT_UNALIGNED, at);
    switch (type) {
      case Q4_0 -> nibbles(src, at + 2, 0, 0);
      case Q4_1 -> {
        minimum(src, at);
        nibbles(src, at + 4, 0, 0);
      }
      case Q5_0 -> nibbles(src, at + 6, src.get(JAVA_INT_UNALIGNED, at + 2), 0);
      case Q5_1 -> {
        minimum(src, at);
        nibbles(src, at + 8, src.get(JAVA_INT_UNALIGNED, at + 4), 0);
      }
      case Q8_0 -> {
        for (int i = 0; i < 4; i++) {
          levels[i] = src.get(JAVA_LONG_UNALIGNED, at + 2 + 8 * i) ^ SIGNS;
        }
      }
      case IQ4_NL -> entries(src, at + 2, 0);
      case IQ4_XS -> {
        for (int g = 0; g < 8; g++) {
          scales[g] = (byte) Blocks.entryScale(src, at + 2, g);
          entries(src, at + 8 + 16 * g, 4 * g);
        }
      }
      case Q2_K -> twos(src, at);
      case Q3_K -> threes(src, at);
      case Q4_K -> groups(src, at, 0, at + 16);
      case Q5_K -> groups(src, at, at + 16, at + 48);
      default -> sixes(src, at);
    }
  }

  /** The level of element {@code i}. */
  public int level(int i) {
    return (int) (levels[i >>> 3] >>> ((i & 7) << 3)) & 0xff;
  }

  /** A minimum that is added. */
  private void minimum(MemorySegment src, long at) {
    dmin = (short) (src.get(JAVA_SHORT_UNALIGNED, at + 2) ^ SIGN);
  }

  /** Four longs of levels from {@code to} on. */
  private void nibbles(MemorySegment src, long q, int high, int to) {
    for (int i = 0; i < 2; i++) {
      long bytes = src.get(JAVA_LONG_UNALIGNED, q + 8 * i);
      levels[to + i] = bytes & NIBBLES | fifths(high >>> 8 * i);
      levels[to + i + 2] = bytes >>> 4 & NIBBLES | fifths(high >>> 8 * i + 16);
    }
  }

  /** The low 8 bits as the fifth bits of 8 levels. */
  private static long fifths(int bits) {
    return bits == 0 ? 0 : Long.expand(bits & 0xff, ONES << 4);
  }

  /** 32 entries of the table. */
  private void entries(MemorySegment src, long q, int to) {
    nibbles(src, q, 0, to);
    for (int i = to; i < to + 4; i++) {
      long entries = 0;
      for (int shift = 0; shift < Long.SIZE; shift += 8) {
        long entry = Blocks.nonLinear((int) (levels[i] >>> shift) & 15) + 128;
        entries |= entry << shift;
      }
      levels[i] = entries;
    }
  }

  /** Q2_K. */
  private void twos(MemorySegment src, long at) {
    d = src.get(JAVA_SHORT_UNALIGNED, at + 80);
    dmin = src.get(JAVA_SHORT_UNALIGNED, at + 82);
    for (int g = 0; g < 16; g++) {
      int scale = src.get(JAVA_BYTE, at + g);
      scales[g] = (byte) (scale & 15);
      mins[g] = (byte) (scale >> 4 & 15);
      lowTwo(src, at + 16, g);
    }
  }

  /** Q3_K: its third bit lies apart, and its scales have a sign. */
  private void threes(MemorySegment src, long at) {
    d = src.get(JAVA_SHORT_UNALIGNED, at + 108);
    for (int g = 0; g < 16; g++) {
      scales[g] = (byte) Blocks.signedScale(src, at + 96, g);
      lowTwo(src, at + 32, g);
      for (int i = 0; i < 2; i++) {
        long bits = src.get(JAVA_LONG_UNALIGNED, at + g % 2 * 16 + 8 * i) >>> g / 2 & ONES;
        levels[2 * g + i] |= bits << 2;
      }
    }
  }

  /** The low two bits of group {@code g} of 16 levels. */
  private void lowTwo(MemorySegment src, long q, int g) {
    long from = q + g / 8 * 32 + g % 2 * 16;
    int shift = g % 8 / 2 * 2;
    for (int i = 0; i < 2; i++) {
      levels[2 * g + i] = src.get(JAVA_LONG_UNALIGNED, from + 8 * i) >>> shift & 3 * ONES;
    }
  }

  /** Q4_K, and Q5_K when {@code h}, the address of the fifth bits, is not 0. */
  private void groups(MemorySegment src, long at, long h, long q) {
    dmin = src.get(JAVA_SHORT_UNALIGNED, at + 2);
    for (int g = 0; g < 8; g++) {
      scales[g] = (byte) Blocks.scale(src, at + 4, g);
      mins[g] = (byte) Blocks.min(src, at + 4, g);
      long from = q + g / 2 * 32;
      int shift = g % 2 * 4;
      for (int i = 0; i < 4; i++) {
        long low = src.get(JAVA_LONG_UNALIGNED, from + 8 * i) >>> shift & NIBBLES;
        long bit = h == 0 ? 0 : src.get(JAVA_LONG_UNALIGNED, h + 8 * i) >>> g & ONES;
        levels[4 * g + i] = low | bit << 4;
      }
    }
  }

  /** Q6_K. */
  private void sixes(MemorySegment src, long at) {
    d = src.get(JAVA_SHORT_UNALIGNED, at + 208);
    for (int g = 0; g < 16; g++) {
      scales[g] = src.get(JAVA_BYTE, at + 192 + g);
      long q = at + g / 8 * 64 + g % 4 * 16;
      long h = at + 128 + g / 8 * 32 + g % 2 * 16;
      int nibble = g % 8 / 4 * 4;
      int shift = g % 8 / 2 * 2;
      for (int i = 0; i < 2; i++) {
        long low = src.get(JAVA_LONG_UNALIGNED, q + 8 * i) >>> nibble & NIBBLES;
        long high = src.get(JAVA_LONG_UNALIGNED, h + 8 * i) >>> shift & 3 * ONES;
        levels[2 * g + i] = low | high << 4;
      }
    }
  }
}
