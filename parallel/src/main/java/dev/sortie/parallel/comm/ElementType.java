package dev.sortie.parallel.comm;

/** What a collective moves and sums. */
public enum ElementType {
  /** 32-bit floats, summed in F32. */
  F32(4),
  /** The upper half of an F32. All addends are widened, summed in F32, and rounded once. */
  BF16(2),
  /** 32-bit integers; sums wrap. */
  I32(4),
  /** 64-bit integers; sums wrap. */
  I64(8);

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether the sum is the same in any order. */
  public boolean isExact() {
    return this == I32 || this == I64;
  }
}
