package dev.sortie.parallel.mesh;

/**
 * A process's number in the whole world. A type of its own, so that it is never mistaken for a
 * position on an axis.
 *
 * @param value from 0
 */
public record GlobalRank(int value) implements Comparable<GlobalRank> {

  public GlobalRank {
    if (value < 0) {
      throw new IllegalArgumentException("a rank counts from 0, got " + value);
    }
  }

  @Override
  public int compareTo(GlobalRank other) {
    return Integer.compare(value, other.value);
  }
}
