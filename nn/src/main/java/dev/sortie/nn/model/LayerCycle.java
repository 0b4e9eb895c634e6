package dev.sortie.nn.model;

import dev.sortie.nn.InputException;

/**
 * Layers that are used again: "head-tail decoupled parameter cycling" of Zero Token Transformers
 * (Li et al., arXiv 2502.12214). The first and the last layer of a model are used once; those
 * between them, the block, run {@code times} times one after the other with the same weights. A
 * layer <em>as executed</em> has a place in this sequence, its own keys and values in the cache and
 * its own depth for exits; a <em>stored</em> layer has the weights.
 *
 * @param times how often the block runs; 1: a plain model
 * @param zeroToken whether each layer of the block has a {@link ZeroToken} for each cycle
 */
public record LayerCycle(int times, boolean zeroToken) {
  /** Every layer is used once. */
  public static final LayerCycle NONE = new LayerCycle(1, false);

  /** Refuses less than one use. */
  public LayerCycle {
    if (times < 1 || times > DecoderConfig.MOST_LAYERS) {
      throw new InputException(
          "num_cycles is " + times + ", outside 1 to " + DecoderConfig.MOST_LAYERS);
    }
  }

  /** How many layers are executed where a model stores so many. */
  public int executed(int stored) {
    return times == 1 ? stored : 2 + times * (stored - 2);
  }

  /** How many layers a model stores of which so many are executed. */
  public int stored(int executed) {
    return times == 1 ? executed : 2 + block(executed);
  }

  /** Layers between the first and the last. */
  public int block(int executed) {
    return (executed - 2) / times;
  }

  /** The stored layer whose weights executed layer {@code i} has, both from 0. */
  public int storedLayer(int i, int executed) {
    if (times == 1 || i == 0) {
      return i;
    }
    int block = block(executed);
    return i == executed - 1 ? 1 + block : 1 + (i - 1) % block;
  }

  /** Which use of its weights executed layer {@code i} is, from 0. */
  public int use(int i, int executed) {
    return times == 1 || i == 0 || i == executed - 1 ? 0 : (i - 1) / block(executed);
  }

  /** Whether executed layer {@code i} is one of the block. */
  public boolean inBlock(int i, int executed) {
    return i > 0 && i < executed - 1 && (times > 1 || zeroToken);
  }

  /** Refuses a number of executed layers that no such model has. */
  void check(int executed) {
    if (equals(NONE)) {
      return;
    }
    if (executed < 3 || (executed - 2) % times != 0) {
      throw new InputException(
          "%d layers are not a first, a last and %d times the same ones between them"
              .formatted(executed, times));
    }
  }
}
