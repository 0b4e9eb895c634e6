package dev.sortie.parallel.mesh;

import java.util.List;
import java.util.Optional;
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

  /**
   * The member after {@code rank}; empty for the last one and for others. A ring closes with {@link
   * #ranks()}'s first.
   */
  public Optional<GlobalRank> after(GlobalRank rank) {
    int i = ranks.indexOf(rank);
    return i < 0 || i + 1 == ranks.size() ? Optional.empty() : Optional.of(ranks.get(i + 1));
  }

  /** The member before {@code rank}; empty for the first one and for others. */
  public Optional<GlobalRank> before(GlobalRank rank) {
    int i = ranks.indexOf(rank);
    return i <= 0 ? Optional.empty() : Optional.of(ranks.get(i - 1));
  }
}
