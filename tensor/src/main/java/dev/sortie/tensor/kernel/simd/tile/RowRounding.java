package dev.sortie.tensor.kernel.simd.tile;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
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
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rounds rows of x to what {@link GroupSums} and {@link ByteProducts} read, see {@link
 * QuantisedRow}.
 */
final class RowRounding {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;

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

  /**
   * How often coefficients of {@link TileForm#SIXES} lose the element that lies before theirs in a
   * word, where that is four elements before, and where it is two; in whole vectors.
   */
  private static final long FOUR_BEFORE = factors(4, 0, 8, 64);

  private static final long TWO_BEFORE = factors(14, 0, 4, 64, 2, 4);

  private RowRounding() {}

  /** Bytes that {@code rows} of {@code k} elements take, scratch included. */
  static long bytes(TileForm form, int rows, int k) {
    return rows * rowBytes(form, k) + OVERSHOOT + SCRATCH_BYTES;
  }

  /** Bytes of a row. */
  static long rowBytes(TileForm form, int k) {
    return (long) k / form.group() * form.rowBytes();
  }

  /** Rounds {@code rows} of {@code k} floats at {@code x} to {@code to}, with scratch after. */
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
      float total = sum(from, 4 * SCALED);
      float scale = QuantisedRow.scale(absoluteSum(from, 4 * SCALED));
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

  /** The sum of a group, in four parts at every width. */
  private static float sum(long x, long group) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    for (long o = 0; o != group; o += 16) {
      a += get(x + o);
      b += get(x + o + 4);
      c += get(x + o + 8);
      d += get(x + o + 12);
    }
    return (a + b) + (c + d);
  }

  /** The sum of a group's absolute values, likewise. */
  private static float absoluteSum(long x, long group) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    for (long o = 0; o != group; o += 16) {
      a += Math.abs(get(x + o));
      b += Math.abs(get(x + o + 4));
      c += Math.abs(get(x + o + 8));
      d += Math.abs(get(x + o + 12));
    }
    return (a + b) + (c + d);
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
      float sum = absoluteSum(from, group);
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

  /** Address of so many times a number, and of the next, and of zeros up to 32 numbers. */
  private static long factors(int... runs) {
    int[] all = new int[32];
    int at = 0;
    for (int i = 0; i < runs.length; i += 2) {
      Arrays.fill(all, at, at + runs[i], runs[i + 1]);
      at += runs[i];
    }
    return Arena.global().allocateFrom(JAVA_INT_UNALIGNED, all).address();
  }

  /**
   * The coefficients of a group of {@link TileForm#SIXES}: those of the first four words, which
   * hold three parts each, then those of the last two, which hold four. Wide vectors store more
   * after them, which is overwritten.
   *
   * <p>All are vectors of {@link Width}, though four lanes would do. Kernels call the same methods
   * of {@code IntVector}, and where the JVM has seen two widths there, it compiles them for both
   * and leaves objects in them: prompts of Gemma 3 270M in Q4_K_M had 800 to 1,000 tokens/s in most
   * starts, and 1,500 in some.
   *
   * @param q address of the 16 rounded elements, after zeros, with room for 16 more
   */
  private static void sixes(long q, long dst) {
    IntVector.fromMemorySegment(I, MEMORY, q + 32, ORDER) // of parts that are high bits
        .lanewise(VectorOperators.LSHL, 4)
        .intoMemorySegment(MEMORY, q + 64, ORDER);
    for (long o = 0; o < 80; o += BYTES) {
      long at = o & OFFSET;
      IntVector c =
          IntVector.fromMemorySegment(I, MEMORY, q + at, ORDER)
              .sub(
                  IntVector.fromMemorySegment(I, MEMORY, q - 16 + at, ORDER)
                      .mul(IntVector.fromMemorySegment(I, MEMORY, FOUR_BEFORE + at, ORDER)))
              .sub(
                  IntVector.fromMemorySegment(I, MEMORY, q - 8 + at, ORDER)
                      .mul(IntVector.fromMemorySegment(I, MEMORY, TWO_BEFORE + at, ORDER)));
      c.and(0xffff)
          .or(c.lanewise(VectorOperators.LSHL, 16))
          .intoMemorySegment(MEMORY, dst + at, ORDER);
    }
  }
}
