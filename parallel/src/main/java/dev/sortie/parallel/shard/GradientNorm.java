package dev.sortie.parallel.shard;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The norm of the gradients of parameters that are shared out, each number counted once: what
 * several ranks have alike counts on the first of them. Squares are added up in F64, those of a
 * rank in the order of its parameters, then the ranks' ascending, so that all find the same bits.
 */
final class GradientNorm {
  private final ShardGroup group;
  private final List<Tensor> counted = new ArrayList<>();

  GradientNorm(TensorParallel sharding, Map<String, Tensor> parameters) {
    this.group = sharding.group();
    parameters.forEach(
        (name, t) -> {
          if (sharding.shard().answers(name)) {
            counted.add(t);
          }
        });
  }

  /** The norm. A collective call. */
  double of(Kernels k, Allocator scratch, Gradients gradients) {
    List<Span> spans = counted.stream().map(t -> gradients.of(t).span()).toList();
    Span sum = scratch.allocate(DType.F64, 1).span();
    sum.set(0, k.sumSquares(spans));
    group.allReduce(sum);
    return Math.sqrt(sum.get(0));
  }
}
