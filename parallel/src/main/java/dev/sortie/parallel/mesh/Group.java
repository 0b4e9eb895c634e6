package dev.sortie.parallel.mesh;

import java.util.List;
import java.util.OptionalInt;

/**
 * Ranks that talk to each other, in the order of their position in the group.
 *
 * @param ranks at least one, ascending
 */
public record Group(List<GlobalRank> ranks) {

  public Group {
    ranks = List.copyOf(ranks);
    if (ranks.isEmpty()) {
      throw new IllegalArgumentException("a group needs at least one rank");
    }
    for (int i = 1; i < ranks.size(); i++) {
      if (ranks.get(i - 1).compareTo(ranks.get(i)) >= 0) {
        throw new IllegalArgumentException("the ranks of a group must ascend, got " + ranks);
      }
    }
  }

  /** Number of ranks. */
  public int size() {
    return ranks.size();
  }

  /** Position of {@code rank} in this group; empty where it is not a member. */
  public OptionalInt positionOf(GlobalRank rank) {
    int i = ranks.indexOf(rank);
    return i < 0 ? OptionalInt.empty() : OptionalInt.of(i);
  }
}
