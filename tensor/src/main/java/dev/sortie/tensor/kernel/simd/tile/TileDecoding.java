package dev.sortie.tensor.kernel.simd.tile;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;

import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.kernel.tile.TileForm;
import dev.sortie.tensor.kernel.tile.TileType;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Decodes tiles to panels of F32, for products of many rows: a tile has the weight rows of a panel
 * in its lanes, so nothing is transposed. The elements have the bits that blocks give.
 */
public final class TileDecoding {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final int LANES = Width.LANES;
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** An F16, its bits moved to those of an F32, is this much too small. */
  private static final float HALF = 0x1p112f;

  /** Added where a type has no minimum: unlike 0 it leaves a negative zero as it is. */
  private static final float NONE = -0f;

  private TileDecoding() {}

  /**
   * Decodes {@code count} elements of each weight row of the tile at {@code tile}, whose rows have
   * {@code k}, from element {@code from} on, all whole blocks, to rows of {@code 2 * LANES} floats.
   */
  public static void run(
      TileType type, long tile, int k, int from, int count, float[] dst, int at) {
    int block = type.dtype().block();
    if (from % block != 0 || count % block != 0) {
      throw new IllegalArgumentException(
          "cannot decode %d elements from %d of blocks of %d".formatted(count, from, block));
    }
    long scales = tile + type.wordBytes(2 * LANES, k);
    long group = tile + type.wordBytes(2 * LANES, from);
    int to = at;
    for (int b = from / block; b < (from + count) / block; b++) {
      long head = scales + b * type.scaleValues() * BYTES;
      for (int g = 0; g < type.groups(); g++) {
        long scale = head + (type.head() + g) * BYTES;
        if (type.form() == TileForm.BYTES) {
          bytes(type.scaled(), head, scale, group, dst, to);
        } else {
          group(type, head, scale, group, dst, to);
        }
        group += type.form().words() * BYTES;
        to += type.form().group() * 2 * LANES;
      }
    }
  }

  /**
   * A group.
   *
   * @param head address of the scales of its block
   * @param scale address of its own, if it has any
   * @param group address of its words
   */
  private static void group(TileType type, long head, long scale, long group, float[] dst, int at) {
    TileForm form = type.form();
    boolean scaled = type.scaled();
    boolean minima = type.minima();
    long h = head & ADDRESS;
    long words0 = group & ADDRESS;
    IntVector d = IntVector.fromMemorySegment(I, MEMORY, h, ORDER);
    FloatVector d0 = low(d);
    FloatVector d1 = high(d);
    FloatVector m0 = FloatVector.broadcast(F, NONE);
    FloatVector m1 = m0;
    if (minima) {
      IntVector m = IntVector.fromMemorySegment(I, MEMORY, h + BYTES, ORDER);
      m0 = low(m);
      m1 = high(m);
    }
    if (scaled) {
      IntVector s = IntVector.fromMemorySegment(I, MEMORY, scale & ADDRESS, ORDER);
      if (minima) {
        d0 = number(s.and(0xff)).mul(d0);
        d1 = number(s.lanewise(VectorOperators.LSHR, 16).and(0xff)).mul(d1);
        m0 = number(s.lanewise(VectorOperators.LSHR, 8).and(0xff)).mul(m0);
        m1 = number(s.lanewise(VectorOperators.LSHR, 24)).mul(m1);
      } else {
        d0 =
            number(s.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)).mul(d0);
        d1 = number(s.lanewise(VectorOperators.ASHR, 16)).mul(d1);
      }
    }
    int zero = type.zero();
    for (int e = 0; e < form.group(); e++) {
      IntVector n0 = IntVector.zero(I);
      IntVector n1 = n0;
      for (TileForm.Part p : form.parts(e)) {
        long word = words0 + (p.word() * BYTES & OFFSET);
        IntVector v = IntVector.fromMemorySegment(I, MEMORY, word, ORDER);
        int mask = (1 << p.bits()) - 1;
        n0 =
            v.lanewise(VectorOperators.LSHR, p.shift())
                .and(mask)
                .lanewise(VectorOperators.LSHL, p.place())
                .or(n0);
        n1 =
            v.lanewise(VectorOperators.LSHR, 16 + p.shift())
                .and(mask)
                .lanewise(VectorOperators.LSHL, p.place())
                .or(n1);
      }
      int to = at + e * 2 * LANES;
      number(n0.sub(zero)).fma(d0, m0).intoArray(dst, to);
      number(n1.sub(zero)).fma(d1, m1).intoArray(dst, to + LANES);
    }
  }

  /** A group of {@link TileForm#BYTES}; for the parameters see {@link #group}. */
  private static void bytes(
      boolean scaled, long head, long scale, long group, float[] dst, int at) {
    IntVector d = IntVector.fromMemorySegment(I, MEMORY, head & ADDRESS, ORDER);
    FloatVector d0 = low(d);
    FloatVector d1 = high(d);
    if (scaled) {
      IntVector s = IntVector.fromMemorySegment(I, MEMORY, scale & ADDRESS, ORDER);
      d0 = number(s.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)).mul(d0);
      d1 = number(s.lanewise(VectorOperators.ASHR, 16)).mul(d1);
    }
    long levels = group & ADDRESS;
    int centre = TileForm.BYTES.centre();
    for (int e = 0; e < TileForm.BYTES.group(); e++) {
      long four = levels + (e / 4 * 2 * BYTES & OFFSET);
      int shift = e % 4 * 8;
      IntVector n0 = IntVector.fromMemorySegment(I, MEMORY, four, ORDER);
      IntVector n1 = IntVector.fromMemorySegment(I, MEMORY, four + BYTES, ORDER);
      n0 = n0.lanewise(VectorOperators.LSHR, shift).and(0xff).sub(centre);
      n1 = n1.lanewise(VectorOperators.LSHR, shift).and(0xff).sub(centre);
      int to = at + e * 2 * LANES;
      number(n0).mul(d0).intoArray(dst, to);
      number(n1).mul(d1).intoArray(dst, to + LANES);
    }
  }

  private static FloatVector number(IntVector v) {
    return (FloatVector) v.convert(VectorOperators.I2F, 0);
  }

  /** The F16 in the low halves of lanes. */
  private static FloatVector low(IntVector v) {
    return v.lanewise(VectorOperators.LSHL, 16)
        .lanewise(VectorOperators.ASHR, 3)
        .and(0x8fff_e000)
        .reinterpretAsFloats()
        .mul(HALF);
  }

  /** The F16 in the high halves of lanes. */
  private static FloatVector high(IntVector v) {
    return v.lanewise(VectorOperators.ASHR, 3).and(0x8fff_e000).reinterpretAsFloats().mul(HALF);
  }
}
