package dev.sortie.tensor.dtype;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
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

  private final DType type;

  /** Levels from 0 on, one an element. */
  public final byte[] levels;

  /** The scale of each group: 6 bits without a sign, or 8 bits with one. */
  public final byte[] scales;

  /** The minimum of each group, 0 where the type has none. */
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
    levels = new byte[type.block()];
    int groups = groups(type);
    scales = new byte[groups];
    mins = new byte[groups];
    java.util.Arrays.fill(scales, (byte) 1);
    java.util.Arrays.fill(mins, (byte) 1);
  }

  /**
   * Whether blocks of a type are read: those whose levels are equally spaced, of 4 bits or more.
   */
  public static boolean has(DType type) {
    return switch (type) {
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> true;
      case F32, F64, BF16, F16, I32, IQ4_NL, Q2_K, Q3_K -> false;
    };
  }

  private static int groups(DType type) {
    return switch (type) {
      case Q4_K, Q5_K -> 8;
      case Q6_K -> 16;
      default -> 1;
    };
  }

  /** Takes the block at byte {@code at}. */
  public void read(MemorySegment src, long at) {
    d = src.get(JAVA_SHORT_UNALIGNED, at);
    switch (type) {
      case Q4_0 -> nibbles(src, at + 2, 0);
      case Q4_1 -> {
        minimum(src, at);
        nibbles(src, at + 4, 0);
      }
      case Q5_0 -> nibbles(src, at + 6, src.get(JAVA_INT_UNALIGNED, at + 2));
      case Q5_1 -> {
        minimum(src, at);
        nibbles(src, at + 8, src.get(JAVA_INT_UNALIGNED, at + 4));
      }
      case Q8_0 -> {
        for (int i = 0; i < 32; i++) {
          levels[i] = (byte) (src.get(JAVA_BYTE, at + 2 + i) + 128);
        }
      }
      case Q4_K -> groups(src, at, 0, at + 16);
      case Q5_K -> groups(src, at, at + 16, at + 48);
      default -> sixes(src, at);
    }
  }

  /** A minimum that is added. */
  private void minimum(MemorySegment src, long at) {
    dmin = (short) (src.get(JAVA_SHORT_UNALIGNED, at + 2) ^ SIGN);
  }

  private void nibbles(MemorySegment src, long q, int high) {
    for (int i = 0; i < 16; i++) {
      int b = src.get(JAVA_BYTE, q + i);
      levels[i] = (byte) (b & 15 | (high >>> i & 1) << 4);
      levels[i + 16] = (byte) (b >>> 4 & 15 | (high >>> (i + 16) & 1) << 4);
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
      for (int i = 0; i < 32; i++) {
        int low = src.get(JAVA_BYTE, from + i) >>> shift & 15;
        int bit = h == 0 ? 0 : src.get(JAVA_BYTE, h + i) >>> g & 1;
        levels[32 * g + i] = (byte) (low | bit << 4);
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
      for (int i = 0; i < 16; i++) {
        int low = src.get(JAVA_BYTE, q + i) >>> nibble & 15;
        int high = src.get(JAVA_BYTE, h + i) >>> shift & 3;
        levels[16 * g + i] = (byte) (low | high << 4);
      }
    }
  }
}
