package dev.sortie.nn;

import dev.sortie.tensor.Random;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Dropout (Srivastava et al., JMLR 15, 2014) where something joins the residual stream: each
 * element becomes 0 with probability {@code p}, and is multiplied by {@code 1 / (1 - p)} else, so
 * that its mean stays.
 *
 * <p>Which ones follows from the seed, the place in the model, and the element's row and column,
 * where rows are numbered through the whole run. So it does not depend on how layers, sequences or
 * rows are shared out among ranks, nor on the micro-batch.
 *
 * @param random the run's seed, and what of it
 * @param dropped {@code p} in parts of {@link #PARTS}; 0 changes nothing
 * @param firstRow number of the first row of what is dropped from
 * @param written whether factors are; else they take their memory and no time
 */
public record Dropout(Random random, int dropped, long firstRow, boolean written) {
  /** None. */
  public static final Dropout NONE = new Dropout(new Random(0, 0), 0, 0, true);

  private static final int BITS = 16;
  private static final int PARTS = 1 << BITS;

  /** Elements that share the bits of one counter. */
  private static final int LANES = Long.SIZE / BITS;

  /**
   * Of a run.
   *
   * @param p at least 0 and below 1; rounded to a multiple of 2^-16
   */
  public static Dropout of(long seed, double p) {
    return p == 0 ? NONE : new Dropout(new Random(seed, 0).stream("dropout"), parts(p), 0, true);
  }

  private static int parts(double p) {
    return (int) Math.min(PARTS - 1, Math.max(1, Math.round(p * PARTS)));
  }

  /** The same for rows from another number on. */
  public Dropout from(long row) {
    return new Dropout(random, dropped, row, written);
  }

  /** The same at a place in the model, which its name tells from others. */
  public Dropout at(String place) {
    return isNone() ? this : new Dropout(random.stream(place), dropped, firstRow, written);
  }

  /** The same for a run that computes nothing: factors take their memory and are not written. */
  public Dropout unwritten() {
    return new Dropout(random, dropped, firstRow, false);
  }

  /** Whether nothing is dropped. */
  public boolean isNone() {
    return dropped == 0;
  }

  /**
   * What is left of {@code x}.
   *
   * @param x F32 {@code [.., C]}, whose rows follow each other in the run
   */
  public Tensor apply(Ops ops, Tensor x) {
    return isNone() ? x : ops.mul(x, mask(ops, x));
  }

  /** 0 or what an element is multiplied by. */
  private Tensor mask(Ops ops, Tensor x) {
    if (x.dtype() != DType.F32) {
      throw new IllegalArgumentException("dropout is for F32, this is " + x);
    }
    Tensor mask = ops.empty(x.dtype(), x.shape());
    if (!written) {
      return mask;
    }
    MemorySegment factors = mask.span().segment();
    float kept = (float) ((double) PARTS / (PARTS - dropped));
    long first = firstRow * x.shape().size(-1);
    long count = x.shape().count();
    long bits = 0;
    for (long i = 0; i < count; i++) {
      int lane = (int) ((first + i) % LANES);
      if (lane == 0 || i == 0) {
        bits = random.bits((first + i) / LANES);
      }
      int draw = (int) (bits >>> lane * BITS) & (PARTS - 1);
      factors.setAtIndex(ValueLayout.JAVA_FLOAT, i, draw < dropped ? 0 : kept);
    }
    return mask;
  }
}
