package dev.sortie.tensor;

/**
 * Element types. Arithmetic is in F32 (F64 for gradient checks); BF16 and F16 are storage; I32
 * holds token ids.
 */
public enum DType {
  F32(4),
  F64(8),
  BF16(2),
  F16(2),
  I32(4);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether ops can compute in this type (and so differentiate through it). */
  public boolean isCompute() {
    return this == F32 || this == F64;
  }

  /** The BF16 pattern nearest to {@code x}, ties to even; NaN stays NaN. */
  public static short toBf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    if (x != x) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  /** The float that a BF16 pattern stands for (exact). */
  public static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
