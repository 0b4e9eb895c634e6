package dev.sortie.nn;

import dev.sortie.tensor.Random;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.DropoutMask;

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
 * @param dropped {@code p} in parts of {@link DropoutMask#PARTS}; 0 changes nothing
 * @param firstRow number of the first row of what is dropped from
 */
public record Dropout(Random random, int dropped, long firstRow) {
  /** None. */
  public static final Dropout NONE = new Dropout(new Random(0, 0), 0, 0);

  /**
   * Of a run.
   *
   * @param p at least 0 and below 1; rounded to a multiple of 2^-16
   */
  public static Dropout of(long seed, double p) {
    return p == 0 ? NONE : new Dropout(new Random(seed, 0).stream("dropout"), parts(p), 0);
  }

  private static int parts(double p) {
    return (int) Math.min(DropoutMask.PARTS - 1, Math.max(1, Math.round(p * DropoutMask.PARTS)));
  }

  /** The same for rows from another number on. */
  public Dropout from(long row) {
    return new Dropout(random, dropped, row);
  }

  /** The same at a place in the model, which its name tells from others. */
  public Dropout at(String place) {
    return isNone() ? this : new Dropout(random.stream(place), dropped, firstRow);
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
    if (isNone()) {
      return x;
    }
    return ops.dropout(
        x, new DropoutMask(random.seed(), random.stream(), dropped, firstRow * x.shape().size(-1)));
  }
}
