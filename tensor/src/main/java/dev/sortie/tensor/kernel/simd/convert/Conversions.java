package dev.sortie.tensor.kernel.simd.convert;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.BlockEncoder;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Widening to F32 and narrowing from it. */
public final class Conversions {
  private static final VectorSpecies<Float> F = Width.F;
  private static final long LANES = F.length();
  private static final VectorSpecies<Integer> I = Width.I;
  private static final VectorSpecies<Short> S = Width.S;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private Conversions() {}

  /**
   * {@code n} elements of F32, BF16, F16 or a quantised type (whole blocks) at {@code x} become F32
   * at {@code y}.
   */
  public static void widen(DType dtype, long x, long y, long n) {
    switch (dtype) {
      case F32 -> copyBytes(x, y, 4 * n);
      case BF16 -> fromBf16(x, y, n);
      case F16 -> fromF16(x, y, n);
      case F64, I32 ->
          throw new IllegalArgumentException(
              "cannot widen " + dtype + " to F32; take F32, BF16, F16 or a quantised type");
      default -> Dequantise.run(dtype, x, 0, n, y);
    }
  }

  public static void copyBytes(long x, long y, long bytes) {
    MemorySegment.copy(MEMORY, x, MEMORY, y, bytes);
  }

  static void fromBf16(long x, long y, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      IntVector wide =
          (IntVector)
              ShortVector.fromMemorySegment(S, MEMORY, x + 2 * i, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_S2I, I, 0);
      wide.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    for (; i < n; i++) {
      set(y + 4 * i, DType.fromBf16(MEMORY.get(JAVA_SHORT_UNALIGNED, x + 2 * i)));
    }
  }

  /** Rounds to nearest even as {@link DType#toBf16} does. */
  public static void toBf16(long x, long y, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector v = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER);
      IntVector bits = v.reinterpretAsInts();
      IntVector high = bits.lanewise(VectorOperators.LSHR, 16);
      IntVector rounded = bits.add(0x7fff).add(high.and(1)).lanewise(VectorOperators.LSHR, 16);
      VectorMask<Integer> nan = v.test(VectorOperators.IS_NAN).cast(I);
      ((ShortVector) rounded.blend(high.or(0x40), nan).convertShape(VectorOperators.I2S, S, 0))
          .intoMemorySegment(MEMORY, y + 2 * i, ORDER);
    }
    for (; i < n; i++) {
      MEMORY.set(JAVA_SHORT_UNALIGNED, y + 2 * i, DType.toBf16(get(x + 4 * i)));
    }
  }

  /** {@code n} elements of F32 become BF16, F16 or whole blocks of a quantised type. */
  public static void narrow(DType dtype, long x, long y, long n) {
    switch (dtype) {
      case BF16 -> toBf16(x, y, n);
      case F16 -> toF16(x, y, n);
      default -> quantise(dtype, x, y, n);
    }
  }

  /** Quantises whole blocks, {@code n} elements of F32. */
  private static void quantise(DType type, long x, long y, long n) {
    float[] block = new float[type.block()];
    for (long i = 0; i < n; i += block.length) {
      MemorySegment.copy(MEMORY, JAVA_FLOAT_UNALIGNED, x + 4 * i, block, 0, block.length);
      BlockEncoder.encode(type, block, 0, MEMORY, y + type.bytes(i));
    }
  }

  static void fromF16(long x, long y, long n) {
    for (long i = 0; i < n; i++) {
      set(y + 4 * i, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, x + 2 * i)));
    }
  }

  public static void toF16(long x, long y, long n) {
    for (long i = 0; i < n; i++) {
      MEMORY.set(JAVA_SHORT_UNALIGNED, y + 2 * i, Float.floatToFloat16(get(x + 4 * i)));
    }
  }
}
