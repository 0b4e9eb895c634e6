package dev.sortie.eetuning.train;

/**
 * The memory that one rank takes, in bytes.
 *
 * @param weights of the backbone's layers and head that it computes with, and rotary tables
 * @param exits parameters of its exits
 * @param optimizer gradients and both moments of what it trains
 * @param activations hidden states, and what passes need of the micro-batches in flight
 * @param buffers gradients of other replicas that are read in place, and what checkpoints are
 *     written from
 * @param jvm see {@link DryRun#JVM}
 */
public record RankMemory(
    long weights, long exits, long optimizer, long activations, long buffers, long jvm) {

  /** All of it. */
  public long total() {
    return weights + exits + optimizer + activations + buffers + jvm;
  }
}
