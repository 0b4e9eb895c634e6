package dev.sortie.parallel.mesh;

/**
 * Where a rank stands in a {@link Mesh}: its position on each axis, from 0.
 *
 * @param tp position on the tensor-parallel axis
 * @param dp position on the data-parallel axis
 * @param pp position on the pipeline axis: the stage
 */
public record Coordinates(int tp, int dp, int pp) {

  /** The position on {@code axis}. */
  public int on(Axis axis) {
    return switch (axis) {
      case TP -> tp;
      case DP -> dp;
      case PP -> pp;
    };
  }
}
