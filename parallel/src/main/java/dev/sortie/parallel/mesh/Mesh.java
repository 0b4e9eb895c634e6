package dev.sortie.parallel.mesh;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

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
    return group(EnumSet.of(axis), rank);
  }

  /** The group of {@code rank} along several axes, such as TP and DP. */
  public Group group(Set<Axis> axes, GlobalRank rank) {
    int base = check(rank);
    Coordinates at = coordinates(rank);
    List<Integer> members = new ArrayList<>(List.of(0));
    for (Axis axis : axesInOrder(axes)) {
      base -= at.on(axis) * stride(axis);
      List<Integer> wider = new ArrayList<>();
      for (int position = 0; position < size(axis); position++) {
        for (int member : members) {
          wider.add(member + position * stride(axis));
        }
      }
      members = wider;
    }
    int first = base;
    return new Group(members.stream().map(offset -> new GlobalRank(first + offset)).toList());
  }

  /**
   * All groups along {@code axes}, ordered by their first rank; together they hold each rank once.
   */
  public List<Group> groups(Set<Axis> axes) {
    List<Group> groups = new ArrayList<>();
    for (int r = 0; r < world(); r++) {
      GlobalRank rank = new GlobalRank(r);
      if (axes.stream().allMatch(axis -> coordinates(rank).on(axis) == 0)) {
        groups.add(group(axes, rank));
      }
    }
    return List.copyOf(groups);
  }

  /** All groups along one axis. */
  public List<Group> groups(Axis axis) {
    return groups(EnumSet.of(axis));
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

  private static Set<Axis> axesInOrder(Set<Axis> axes) {
    Set<Axis> ordered = EnumSet.noneOf(Axis.class);
    ordered.addAll(axes);
    return ordered;
  }

  private int check(GlobalRank rank) {
    if (rank.value() >= world()) {
      throw new IllegalArgumentException(
          "rank " + rank.value() + " is outside the " + world() + " ranks of " + this);
    }
    return rank.value();
  }
}
