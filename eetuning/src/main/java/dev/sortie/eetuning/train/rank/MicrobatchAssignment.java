package dev.sortie.eetuning.train.rank;

/**
 * Which micro-batches a replica computes. They take turns: of R replicas, number r computes
 * micro-batches r, R + r, 2R + r and so on, so that neighbours in a sum are computed at one time.
 *
 * @param replicas how many there are
 * @param replica which one this is
 */
public record MicrobatchAssignment(int replicas, int replica) {

  /** Of this rank. */
  public static MicrobatchAssignment of(ProcessGroups groups) {
    return new MicrobatchAssignment(groups.mesh().dp(), groups.coordinates().dp());
  }

  /** The number, among all micro-batches, of this replica's micro-batch {@code i}. */
  public long number(long i) {
    return i * replicas + replica;
  }

  /**
   * How many this replica computes.
   *
   * @param all micro-batches
   */
  public int count(int all) {
    return Math.max(0, Math.ceilDiv(all - replica, replicas));
  }
}
