package dev.sortie.tensor.kernel.simd.tile;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.kernel.tile.QuantisedRow;
import dev.sortie.tensor.kernel.tile.TileForm;
import java.lang.foreign.Arena;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Rounds rows of x to what {@link TileKernel}s read, see {@link QuantisedRow}. */
final class RowRounding {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;

  /** At every width: a group is summed up in four parts. */
  private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;

  private static final long BYTES = 4L * Width.LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Zeros before and after the elements of a group, so that each has a predecessor. */
  private static final long ZEROS = 64;

  private static final long MOST_ELEMENTS = 32;

  /** Bytes of scratch: elements of a group between zeros. */
  private static final long SCRATCH_BYTES = 2 * ZEROS + 4 * MOST_ELEMENTS;

  /** What may be written past the last group of a row. */
  private static final long OVERSHOOT = 64;

  /** Elements of a group that is not rounded. */
  private static final long SCALED = 32;

  private static final FloatVector PLACES = places();

  /** Four coefficients of {@link TileForm#SIXES} at a time, at every width. */
  private static final VectorSpecies<Integer> FOUR_INTS = IntVector.SPECIES_128;

  /** How often these lose the element that lies before theirs in a word. */
  private static final long FACTORS =
      Arena.global()
          .allocateFrom(
              JAVA_INT_UNALIGNED,
              new int[] {
                0, 0, 0, 0,
                64, 64, 64, 64,
                64, 64, 64, 64,
                0, 0, 64, 64,
                64, 64, 4, 4,
              })
          .address();

  private RowRounding() {}

  /** Bytes that {@code rows} of {@code k} elements take, scratch included. */
  static long bytes(TileForm form, int rows, int k) {
    return rows * rowBytes(form, k) + OVERSHOOT + SCRATCH_BYTES;
  }

  /** Bytes of a row. */
  static long rowBytes(TileForm form, int k) {
    return (long) k / form.group() * form.rowBytes();
  }

  /** Rounds {@code rows} of {@code k} floats at {@code x} to {@code to}, with scratch behind. */
  static void run(TileForm form, long x, int rows, int k, long to) {
    if (!form.rounds()) {
      scaled(x, (long) rows * k / form.group(), to, -form.centre());
      return;
    }
    long scratch = to + rows * rowBytes(form, k) + OVERSHOOT;
    MEMORY.asSlice(scratch, SCRATCH_BYTES).fill((byte) 0);
    groups(
        x,
        (long) rows * k / form.group(),
        4L * form.group(),
        to,
        form.rowBytes(),
        scratch,
        form == TileForm.SIXES,
        4L * form.words(),
        form.bits(),
        4L * form.coefficients(),
        form.bound(),
        form.centre());
  }

  /** Groups of 32 that are not rounded. */
  private static void scaled(long x, long groups, long to, float centre) {
    for (long g = 0; g < groups; g++) {
      long from = (x + g * 4 * SCALED) & ADDRESS;
      long dst = (to + g * 4 * (SCALED + 4)) & ADDRESS;
      FloatVector sums = FloatVector.zero(FOUR);
      FloatVector absolute = FloatVector.zero(FOUR);
      for (long o = 0; o != 4 * SCALED; o += 16) {
        FloatVector e = FloatVector.fromMemorySegment(FOUR, MEMORY, from + (o & OFFSET), ORDER);
        sums = e.add(sums);
        absolute = e.lanewise(VectorOperators.ABS).add(absolute);
      }
      float sum = (absolute.lane(0) + absolute.lane(1)) + (absolute.lane(2) + absolute.lane(3));
      float total = (sums.lane(0) + sums.lane(1)) + (sums.lane(2) + sums.lane(3));
      float scale = QuantisedRow.scale(sum);
      FloatVector coefficient = PLACES.mul(scale);
      for (long o = 0; o != 4 * SCALED; o += BYTES) {
        FloatVector.fromMemorySegment(F, MEMORY, from + (o & OFFSET), ORDER)
            .mul(coefficient)
            .intoMemorySegment(MEMORY, dst + (o & OFFSET), ORDER);
      }
      float start = centre * (total * scale);
      MEMORY.set(JAVA_FLOAT_UNALIGNED, dst + 4 * SCALED, start);
    }
  }

  private static FloatVector places() {
    float[] places = new float[Width.LANES];
    for (int i = 0; i < places.length; i++) {
      places[i] = QuantisedRow.place(i);
    }
    return FloatVector.fromArray(F, places, 0);
  }

  private static void groups(
      long x,
      long groups,
      long group,
      long to,
      long toGroup,
      long scratch,
      boolean sixes,
      long words,
      int bits,
      long coefficients,
      float bound,
      int centre) {
    long q = (scratch + ZEROS) & ADDRESS;
    long before = (scratch + ZEROS - words) & ADDRESS;
    for (long g = 0; g < groups; g++) {
      long from = (x + g * group) & ADDRESS;
      long dst = (to + g * toGroup) & ADDRESS;
      FloatVector absolute = FloatVector.zero(FOUR);
      for (long o = 0; o != group; o += 16) {
        absolute =
            FloatVector.fromMemorySegment(FOUR, MEMORY, from + (o & OFFSET), ORDER)
                .lanewise(VectorOperators.ABS)
                .add(absolute);
      }
      float sum = (absolute.lane(0) + absolute.lane(1)) + (absolute.lane(2) + absolute.lane(3));
      float inverse = sum >= QuantisedRow.SMALLEST ? bound / sum : 0;
      IntVector total = IntVector.zero(I);
      for (long o = 0; o != group; o += BYTES) {
        IntVector rounded =
            FloatVector.fromMemorySegment(F, MEMORY, from + (o & OFFSET), ORDER)
                .mul(inverse)
                .add(QuantisedRow.MAGIC)
                .reinterpretAsInts()
                .sub(QuantisedRow.MAGIC_BITS);
        total = rounded.add(total);
        rounded.intoMemorySegment(MEMORY, q + (o & OFFSET), ORDER);
      }
      int x1 = IntVector.zero(I).add(total).reduceLanes(VectorOperators.ADD);
      if (sixes) {
        sixes(q, dst);
      } else {
        for (long o = 0; o < coefficients; o += BYTES) {
          IntVector c =
              IntVector.fromMemorySegment(I, MEMORY, q + (o & OFFSET), ORDER)
                  .sub(
                      IntVector.fromMemorySegment(I, MEMORY, before + (o & OFFSET), ORDER)
                          .lanewise(VectorOperators.LSHL, bits));
          c.and(0xffff)
              .or(c.lanewise(VectorOperators.LSHL, 16))
              .intoMemorySegment(MEMORY, dst + (o & OFFSET), ORDER);
        }
      }
      int start = -centre * x1;
      float step = sum / bound * QuantisedRow.SCALE;
      MEMORY.set(JAVA_INT_UNALIGNED, dst + coefficients, start & 0xffff | start << 16);
      MEMORY.set(JAVA_FLOAT_UNALIGNED, dst + coefficients + 4, step);
      MEMORY.set(JAVA_INT_UNALIGNED, dst + coefficients + 8, centre * x1);
      MEMORY.set(JAVA_FLOAT_UNALIGNED, dst + coefficients + 12, x1 * step);
    }
  }

  /**
   * The coefficients of a group of {@link TileForm#SIXES}: those of the first four words, which
   * hold three parts each, then those of the last two, which hold four.
   *
   * @param q address of the 16 rounded elements, between zeros that give room for four more
   */
  private static void sixes(long q, long dst) {
    IntVector.fromMemorySegment(FOUR_INTS, MEMORY, q + 32, ORDER) // of parts that are high bits
        .lanewise(VectorOperators.LSHL, 4)
        .intoMemorySegment(MEMORY, q + 64, ORDER);
    for (long o = 0; o != 80; o += 16) {
      long at = o & OFFSET;
      long earlier = q - (o < 48 ? 16 : 8);
      IntVector c =
          IntVector.fromMemorySegment(FOUR_INTS, MEMORY, q + at, ORDER)
              .sub(
                  IntVector.fromMemorySegment(FOUR_INTS, MEMORY, earlier + at, ORDER)
                      .mul(IntVector.fromMemorySegment(FOUR_INTS, MEMORY, FACTORS + at, ORDER)));
      c.and(0xffff)
          .or(c.lanewise(VectorOperators.LSHL, 16))
          .intoMemorySegment(MEMORY, dst + at, ORDER);
    }
  }
}
