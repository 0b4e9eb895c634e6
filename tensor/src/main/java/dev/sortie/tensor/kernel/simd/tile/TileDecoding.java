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
 * Decodes tiles with levels of 8 bits to panels of F32, for products of many rows: a tile has the
 * weight rows of a panel in its lanes, so nothing is transposed. The elements have the bits that
 * blocks give. Other levels are multiplied as integers, however many rows there are.
 */
public final class TileDecoding {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final int LANES = Width.LANES;
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final TileForm FORM = TileForm.BYTES;

  /** An F16, its bits moved to those of an F32, is this much too small. */
  private static final float HALF = 0x1p112f;

  private TileDecoding() {}

  /**
   * Decodes {@code count} elements of each weight row of the tile at {@code tile}, whose rows have
   * {@code k}, from element {@code from} on, all whole blocks, to {@code 2 * LANES} floats each at
   * address {@code dst}.
   *
   * @param ldd bytes from the floats of one element to those of the next
   */
  public static void run(TileType type, long tile, int k, int from, int count, long dst, long ldd) {
    if (type.form() != FORM) {
      throw new IllegalArgumentException(type + " has no levels of 8 bits");
    }
    int block = type.dtype().block();
    if (from % block != 0 || count % block != 0) {
      throw new IllegalArgumentException(
          "cannot decode %d elements from %d of blocks of %d".formatted(count, from, block));
    }
    long scales = tile + type.wordBytes(2 * LANES, k);
    long group = tile + type.wordBytes(2 * LANES, from);
    long to = dst;
    for (int b = from / block; b < (from + count) / block; b++) {
      long head = scales + b * type.scaleValues() * BYTES;
      for (int g = 0; g < type.groups(); g++) {
        long scale = head + (type.head() + g) * BYTES;
        group(type.scaled(), head, scale, group, to, ldd);
        group += FORM.words() * BYTES;
        to += FORM.group() * ldd;
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
  private static void group(boolean scaled, long head, long scale, long group, long dst, long ldd) {
    IntVector d = IntVector.fromMemorySegment(I, MEMORY, head & ADDRESS, ORDER);
    FloatVector d0 = low(d);
    FloatVector d1 = high(d);
    if (scaled) {
      IntVector s = IntVector.fromMemorySegment(I, MEMORY, scale & ADDRESS, ORDER);
      d0 = number(s.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)).mul(d0);
      d1 = number(s.lanewise(VectorOperators.ASHR, 16)).mul(d1);
    }
    long levels = group & ADDRESS;
    int centre = FORM.centre();
    for (int e = 0; e < FORM.group(); e++) {
      long four = levels + (e / 4 * 2 * BYTES & OFFSET);
      int shift = e % 4 * 8;
      IntVector n0 = IntVector.fromMemorySegment(I, MEMORY, four, ORDER);
      IntVector n1 = IntVector.fromMemorySegment(I, MEMORY, four + BYTES, ORDER);
      n0 = n0.lanewise(VectorOperators.LSHR, shift).and(0xff).sub(centre);
      n1 = n1.lanewise(VectorOperators.LSHR, shift).and(0xff).sub(centre);
      long to = dst + e * ldd;
      number(n0).mul(d0).intoMemorySegment(MEMORY, to, ORDER);
      number(n1).mul(d1).intoMemorySegment(MEMORY, to + BYTES, ORDER);
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
