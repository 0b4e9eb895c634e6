package dev.sortie.parallel.shard;

/**
 * One rank's range of things in a row: as many as every other rank has, or one unit more for the
 * first ranks where they do not divide.
 *
 * @param from the first of them
 * @param count how many
 * @param widest how many the largest part has: what a message holds for each rank
 */
public record ShardRange(long from, long count, long widest) {

  /** The part of rank {@code index} of {@code parts}. */
  public static ShardRange of(long total, int parts, int index) {
    return of(total, 1, parts, index);
  }

  /**
   * The part of rank {@code index} of {@code parts} where only whole units are given away.
   *
   * @param unit divides {@code total}
   */
  public static ShardRange of(long total, long unit, int parts, int index) {
    if (unit < 1 || total % unit != 0 || total / unit < parts || index < 0 || index >= parts) {
      throw new IllegalArgumentException(
          "%d in units of %d cannot be shared out to %d ranks (rank %d)"
              .formatted(total, unit, parts, index));
    }
    long units = total / unit;
    long each = units / parts;
    long more = units % parts;
    long before = index * each + Math.min(index, more);
    return new ShardRange(
        before * unit, (each + (index < more ? 1 : 0)) * unit, (each + (more > 0 ? 1 : 0)) * unit);
  }

  /** One after the last. */
  public long end() {
    return from + count;
  }

  /** Whether {@code i} is among them. */
  public boolean holds(long i) {
    return i >= from && i < end();
  }
}
