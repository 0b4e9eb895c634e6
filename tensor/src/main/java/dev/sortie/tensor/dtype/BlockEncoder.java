package dev.sortie.tensor.dtype;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Quantises F32 to the layouts of {@link Blocks}, one block at a time. Types with blocks of 32 are
 * rounded to the nearest quantum as the reference of GGUF does, to the same bits (PyPI's {@code
 * gguf}, {@code quants.quantize}); Q4_K is searched for, see {@link GroupFit}.
 */
public final class BlockEncoder {
  /** The types that can be written. */
  public static final List<DType> TYPES =
      List.of(DType.Q8_0, DType.Q4_0, DType.Q4_1, DType.Q5_0, DType.Q5_1, DType.Q4_K);

  private BlockEncoder() {}

  /**
   * Encodes {@code x[from ..]}, one block, to byte {@code at} of {@code dst}.
   *
   * @throws IllegalArgumentException if the type is not among {@link #TYPES}, or values are not
   *     finite or too large for a scale in F16
   */
  public static void encode(DType type, float[] x, int from, MemorySegment dst, long at) {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException("cannot quantise to " + type + "; take one of " + TYPES);
    }
    for (int i = from; i < from + type.block(); i++) {
      if (!Float.isFinite(x[i])) {
        throw new IllegalArgumentException("cannot quantise " + x[i] + " to " + type);
      }
    }
    switch (type) {
      case Q8_0 -> q80(x, from, dst, at);
      case Q4_0 -> symmetric(type, x, from, dst, at);
      case Q5_0 -> symmetric(type, x, from, dst, at);
      case Q4_1 -> affine(type, x, from, dst, at);
      case Q5_1 -> affine(type, x, from, dst, at);
      default -> Q4KEncoder.encode(x, from, dst, at);
    }
  }

  private static void q80(float[] x, int from, MemorySegment dst, long at) {
    float d = Math.abs(x[largest(x, from)]) / 127;
    float inverse = inverse(d);
    setHalf(DType.Q8_0, dst, at, d);
    for (int i = 0; i < 32; i++) {
      float scaled = x[from + i] * inverse;
      float size = Math.abs(scaled);
      int q = (int) size;
      q += size - q >= 0.5f ? 1 : 0;
      dst.set(JAVA_BYTE, at + 2 + i, (byte) (scaled < 0 ? -q : q));
    }
  }

  /** Q4_0 and Q5_0: the element of largest magnitude becomes the lowest quantum, exactly. */
  private static void symmetric(DType type, float[] x, int from, MemorySegment dst, long at) {
    int levels = type == DType.Q4_0 ? 16 : 32;
    float d = x[largest(x, from)] / (-levels / 2);
    float inverse = inverse(d);
    setHalf(type, dst, at, d);
    int[] q = new int[32];
    for (int i = 0; i < 32; i++) {
      float level = x[from + i] * inverse + (levels / 2 + 0.5f);
      q[i] = Math.clamp((int) level, 0, levels - 1);
    }
    setQuanta(q, levels, dst, at + 2);
  }

  /** Q4_1 and Q5_1: the least element becomes quantum 0, the greatest the highest one. */
  private static void affine(DType type, float[] x, int from, MemorySegment dst, long at) {
    int levels = type == DType.Q4_1 ? 16 : 32;
    float min = x[from];
    float max = x[from];
    for (int i = from + 1; i < from + 32; i++) {
      min = Math.min(min, x[i]);
      max = Math.max(max, x[i]);
    }
    float d = (max - min) / (levels - 1);
    float inverse = inverse(d);
    setHalf(type, dst, at, d);
    setHalf(type, dst, at + 2, min);
    int[] q = new int[32];
    for (int i = 0; i < 32; i++) {
      float level = (x[from + i] - min) * inverse + 0.5f;
      q[i] = Math.clamp((int) level, 0, levels - 1);
    }
    setQuanta(q, levels, dst, at + 4);
  }

  /** Fifth bits, if there are 32 levels, then nibbles: the first half low, the second high. */
  private static void setQuanta(int[] q, int levels, MemorySegment dst, long at) {
    long nibbles = at;
    if (levels == 32) {
      int high = 0;
      for (int i = 0; i < 32; i++) {
        high |= (q[i] >> 4) << i;
      }
      dst.set(JAVA_INT_UNALIGNED, at, high);
      nibbles += 4;
    }
    for (int i = 0; i < 16; i++) {
      dst.set(JAVA_BYTE, nibbles + i, (byte) (q[i] & 15 | (q[i + 16] & 15) << 4));
    }
  }

  /** Where the first element of largest magnitude is. */
  private static int largest(float[] x, int from) {
    int at = from;
    for (int i = from + 1; i < from + 32; i++) {
      if (Math.abs(x[i]) > Math.abs(x[at])) {
        at = i;
      }
    }
    return at;
  }

  private static float inverse(float d) {
    return d == 0 ? 0 : 1 / d;
  }

  static void setHalf(DType type, MemorySegment dst, long at, float value) {
    short half = Float.floatToFloat16(value);
    if (!Float.isFinite(Float.float16ToFloat(half))) {
      throw new IllegalArgumentException(
          "values too large for " + type + ": a block needs the scale " + value + " in F16");
    }
    dst.set(JAVA_SHORT_UNALIGNED, at, half);
  }
}
