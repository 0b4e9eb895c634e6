package dev.sortie.tensor.dtype;

/**
 * Element types. Arithmetic is in F32 (F64 for gradient checks); BF16 and F16 are storage; I32
 * holds token ids. The quantised types store blocks of elements that share scales, as GGUF files do
 * (layouts in {@link dev.sortie.tensor.dtype.Blocks}); they are storage of frozen weights.
 */
public enum DType {
  F32(1, 4),
  F64(1, 8),
  BF16(1, 2),
  F16(1, 2),
  I32(1, 4),
  Q8_0(32, 34),
  Q4_0(32, 18),
  Q4_1(32, 20),
  Q5_0(32, 22),
  Q5_1(32, 24),
  IQ4_NL(32, 18),
  Q2_K(256, 84),
  Q3_K(256, 110),
  Q4_K(256, 144),
  Q5_K(256, 176),
  Q6_K(256, 210),
  IQ4_XS(256, 136);

  private final int block;
  private final int blockBytes;

  DType(int block, int blockBytes) {
    this.block = block;
    this.blockBytes = blockBytes;
  }

  /** Elements a block: 1 unless quantised. */
  public int block() {
    return block;
  }

  /** Bytes a block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Whether elements are stored in blocks that share scales. */
  public boolean isQuantised() {
    return block > 1;
  }

  /** Size of one element in bytes; a quantised type has none and fails. */
  public int bytes() {
    if (isQuantised()) {
      throw new IllegalStateException(
          this + " has blocks of " + blockBytes + " bytes, its elements have no size of their own");
    }
    return blockBytes;
  }

  /**
   * Bytes of so many elements.
   *
   * @throws IllegalArgumentException if they are no whole number of blocks
   * @throws ArithmeticException if the size overflows
   */
  public long bytes(long elements) {
    if (elements % block != 0) {
      throw new IllegalArgumentException(
          elements + " elements of " + this + " are no whole number of blocks of " + block);
    }
    return Math.multiplyExact(elements / block, blockBytes);
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
