package dev.sortie.eetuning.train;

/**
 * The memory that one rank takes, in bytes; docs/memory.md has the formulas.
 *
 * @param weights of the backbone's layers and head that it computes with, and rotary tables
 * @param exits parameters of its exits
 * @param optimizer their gradients and both moments
 * @param activations hidden states, and what the exits' passes need of one micro-batch
 * @param buffers gradients of one micro-batch before they are added, those of other replicas that
 *     are read in place, and what checkpoints are written from
 * @param jvm heap, code, and packing buffers of the products
 */
public record RankMemory(
    long weights, long exits, long optimizer, long activations, long buffers, long jvm) {

  /** All of it. */
  public long total() {
    return weights + exits + optimizer + activations + buffers + jvm;
  }
}
