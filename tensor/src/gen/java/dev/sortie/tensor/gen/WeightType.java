package dev.sortie.tensor.gen;

import java.util.List;

/**
 * A type of weights as the skeleton in {@link RowKernelSources} sees it. All texts are Java; in
 * them {@code #} stands for the weight row: nothing where a kernel has one, else 0 or 1.
 *
 * @param name as in the class's name, {@code Gemv} before it
 * @param doc the class's Javadoc, after what all have
 * @param constants fields of its own
 * @param walk how a row of weights is walked
 * @param head statements for each weight row at the beginning of a body
 * @param vectors the vectors of weights of a body, in the order of k; an even number
 * @param guard of vectors that are not right for all weights; null where they are
 * @param tiles the kernels it has
 */
record WeightType(
    String name,
    String doc,
    String constants,
    Walk walk,
    String head,
    List<Vector> vectors,
    Guard guard,
    List<Tile> tiles) {

  WeightType {
    if (vectors.size() % 2 != 0) {
      throw new IllegalArgumentException(
          name + ": a body takes " + vectors.size() + " vectors; two sums need an even number");
    }
  }

  String className() {
    return "Gemv" + name;
  }

  /**
   * One vector of weights, decoded to F32.
   *
   * @param before statements for each weight row
   * @param weights an expression; {@code o} is the offset in x, in bytes, of the body's first
   *     vector
   */
  record Vector(String before, String weights) {
    Vector(String weights) {
      this("", weights);
    }
  }

  /**
   * Sends a row that may have a weight for which the vectors are not right through vectors that are
   * right for all, in kernels of their own; both give the same bits where both are right.
   *
   * @param seen what was read of a weight row: a variable, declared before its first vector
   * @param gather a statement for the first of the vectors of a body
   * @param gatherAll a statement for all of them, where a body has them all
   * @param suspect an expression: whether the row may have such a weight
   * @param exact the other vectors
   * @param doc what follows "{@link RowKernel}s" in the Javadoc of their class
   */
  record Guard(
      String seen,
      String gather,
      String gatherAll,
      String suspect,
      List<Vector> exact,
      String doc) {}

  /** A kernel's shape: one or two weight rows by some rows of x. */
  record Tile(int weightRows, int rows) {
    String name() {
      return (weightRows == 1 ? "by" : "pairsBy") + rows;
    }

    /** Of a weight row, in names. */
    String index(int weightRow) {
      return weightRows == 1 ? "" : "" + weightRow;
    }

    /** Of a weight row and a row of x. */
    String index(int weightRow, int row) {
      return index(weightRow) + (rows == 1 ? "" : row);
    }
  }

  /** How k is walked. */
  sealed interface Walk {}

  /**
   * Two vectors a body and a last one by itself. The weights of row {@code #} begin at {@code
   * row#}.
   */
  record Elements() implements Walk {}

  /**
   * One block a body, which begins at {@code p#}.
   *
   * @param elements weights per block
   * @param bytes of a block
   * @param inner a loop inside the block; null for none
   */
  record Blocks(int elements, int bytes, Inner inner) implements Walk {}

  /**
   * A loop over the parts of a block; each is a body.
   *
   * @param unpack a statement for each weight row that puts the block's scales to {@code scales#},
   *     where the row's sums will be
   * @param loop its head
   * @param pointers statements for each weight row
   */
  record Inner(String unpack, String loop, String pointers) {}
}
