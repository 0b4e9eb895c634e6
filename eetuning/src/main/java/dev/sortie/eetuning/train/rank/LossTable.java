package dev.sortie.eetuning.train.rank;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The losses of some micro-batches, of which each rank computes its own. Their sums have the order
 * of the micro-batches, whoever computed them.
 */
public final class LossTable {
  private final List<String> names;
  private final double[] losses;

  /**
   * @param names of the losses, the same on all ranks
   * @param microBatches of all ranks
   */
  public LossTable(List<String> names, int microBatches) {
    this.names = names;
    this.losses = new double[names.size() * microBatches];
  }

  public void put(int microBatch, String name, double loss) {
    losses[microBatch * names.size() + names.indexOf(name)] = loss;
  }

  /**
   * Begins to put together the sum of each name over all micro-batches. A collective call.
   *
   * @return the sums, once they are there
   */
  public Supplier<Map<String, Double>> sums(ProcessGroups groups) {
    // ranks that share the weights have the same losses: the first of them tells
    Supplier<double[]> all =
        groups.startMerge(groups.coordinates().tp() == 0 ? losses : new double[losses.length]);
    return () -> sums(all.get());
  }

  private Map<String, Double> sums(double[] all) {
    Map<String, Double> sums = new LinkedHashMap<>();
    for (int i = 0; i < all.length; i++) {
      sums.merge(names.get(i % names.size()), all[i], Double::sum);
    }
    return sums;
  }
}
