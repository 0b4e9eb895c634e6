package dev.sortie.parallel.shard;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import java.util.Map;

/**
 * What a step of training needs in addition to backward passes where parameters are one rank's
 * shard: the parts of gradients that ranks find alone are added up, and the norm counts every
 * number once. Micro-batches come first, then {@link #finish}, then the optimiser with that norm.
 */
public final class ShardGradients implements AutoCloseable {
  private final PartialGradients partial;
  private final GradientNorm norm;

  /**
   * Of the parameters that one optimiser updates. A collective call.
   *
   * @param parameters by names that end as a decoder's do, as those of an exit
   */
  public ShardGradients(TensorParallel sharding, Map<String, Tensor> parameters) {
    this.partial = new PartialGradients(sharding, parameters);
    this.norm = new GradientNorm(sharding, parameters);
  }

  /**
   * Makes the gradients of all micro-batches those of one rank. A collective call.
   *
   * @param scratch for what is exchanged
   * @return the global norm, the same on all ranks
   */
  public double finish(Kernels k, Allocator scratch, Gradients gradients) {
    complete(k, scratch, gradients);
    return norm.of(k, scratch, gradients);
  }

  /**
   * The first half of {@link #finish}, for a caller that adds up squares in an order of its own.
   */
  public void complete(Kernels k, Allocator scratch, Gradients gradients) {
    partial.sum(k, scratch, gradients);
  }

  @Override
  public void close() {
    partial.close();
  }
}
