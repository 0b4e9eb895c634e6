package dev.sortie.parallel.mesh;

import java.util.stream.IntStream;

/**
 * The grid of ranks: how many there are along each axis. Everything else (who is where, who talks
 * to whom) is computed from these three numbers, so that every process finds the same answer on its
 * own.
 *
 * <p>A rank is a number in mixed radix, with the digits of {@link Axis} in order, the first one
 * fastest: {@code rank = tp + TP·(dp + DP·pp)}. The groups along some axes are all ways to hold the
 * other digits still; the members of one group are all values of the digits that move.
 *
 * @param tp tensor-parallel size
 * @param dp data-parallel size
 * @param pp number of pipeline stages
 */
public record Mesh(int tp, int dp, int pp) {

  public Mesh {
    if (tp < 1 || dp < 1 || pp < 1) {
      throw new IllegalArgumentException(
          "each axis of a mesh needs at least 1 rank, got tp " + tp + ", dp " + dp + ", pp " + pp);
    }
    try {
      Math.multiplyExact(Math.multiplyExact(tp, dp), pp);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "a mesh of " + tp + "×" + dp + "×" + pp + " ranks is too large", e);
    }
  }

  /** One rank that does everything. */
  public static Mesh single() {
    return new Mesh(1, 1, 1);
  }

  /** Number of ranks along {@code axis}. */
  public int size(Axis axis) {
    return switch (axis) {
      case TP -> tp;
      case DP -> dp;
      case PP -> pp;
    };
  }

  /** Number of ranks in all. */
  public int world() {
    return tp * dp * pp;
  }

  /** Where {@code rank} stands. */
  public Coordinates coordinates(GlobalRank rank) {
    int value = check(rank);
    return new Coordinates(value % tp, value / tp % dp, value / (tp * dp));
  }

  /** The rank that stands at {@code at}. */
  public GlobalRank rank(Coordinates at) {
    int rank = 0;
    for (Axis axis : Axis.values()) {
      if (at.on(axis) < 0 || at.on(axis) >= size(axis)) {
        throw new IllegalArgumentException(
            "position "
                + at.on(axis)
                + " on axis "
                + axis
                + " is outside [0, "
                + size(axis)
                + ") of "
                + this);
      }
      rank += at.on(axis) * stride(axis);
    }
    return new GlobalRank(rank);
  }

  /** The group of {@code rank} along one axis: the ranks that differ from it in nothing else. */
  public Group group(Axis axis, GlobalRank rank) {
    int first = check(rank) - coordinates(rank).on(axis) * stride(axis);
    return new Group(
        IntStream.range(0, size(axis))
            .mapToObj(position -> new GlobalRank(first + position * stride(axis)))
            .toList());
  }

  /**
   * How far apart neighbours along {@code axis} are: the product of the sizes of the faster axes.
   */
  private int stride(Axis axis) {
    int stride = 1;
    for (Axis faster : Axis.values()) {
      if (faster == axis) {
        break;
      }
      stride *= size(faster);
    }
    return stride;
  }

  private int check(GlobalRank rank) {
    if (rank.value() >= world()) {
      throw new IllegalArgumentException(
          "rank " + rank.value() + " is outside the " + world() + " ranks of " + this);
    }
    return rank.value();
  }
}
