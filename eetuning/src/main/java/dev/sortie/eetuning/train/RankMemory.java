package dev.sortie.eetuning.train;

/**
 * The memory that one rank takes, in bytes.
 *
 * @param weights of the backbone's layers and head that it computes with, and rotary tables
 * @param inPlace those of the weights that are used where the model's file is mapped: memory that
 *     the system fills from the file and may take back
 * @param exits parameters of its exits
 * @param optimizer gradients and both moments of what it trains
 * @param activations hidden states, and what passes need of the micro-batches in flight
 * @param buffers gradients of other replicas that are read in place, and what checkpoints are
 *     written from
 * @param jvm see {@link DryRun#JVM}
 */
public record RankMemory(
    long weights,
    long inPlace,
    long exits,
    long optimizer,
    long activations,
    long buffers,
    long jvm) {

  /** All of it. */
  public long total() {
    return weights + exits + optimizer + activations + buffers + jvm;
  }

  /** What must be there: weights in place are read from the file again where they do not fit. */
  public long needed() {
    return total() - inPlace;
  }
}
