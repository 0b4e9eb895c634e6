package dev.sortie.nn.model;

import dev.sortie.nn.Weights;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;

/**
 * Initialisation from scratch as in GPT-2 and Megatron: {@code N(0, std)}, projections into the
 * residual stream {@code N(0, std / sqrt(2 layers))}, norms 1, biases 0. Each number depends on the
 * seed, the tensor's name and its index only.
 *
 * @param random the seed
 * @param std standard deviation, usually 0.02
 * @param layers depth of the model
 * @param allocator where to put them
 */
public record RandomWeights(Random random, double std, int layers, Allocator allocator)
    implements Weights {

  @Override
  public Tensor get(String name, Shape shape, Role role) {
    Tensor t = Tensor.allocate(allocator, DType.F32, shape);
    Span s = t.span();
    switch (role) {
      case NORM -> fill(s, 1);
      case BIAS -> fill(s, 0);
      case EMBEDDING, INPUT_PROJECTION -> normal(name, s, std);
      case OUTPUT_PROJECTION -> normal(name, s, std / Math.sqrt(2.0 * layers));
    }
    return t;
  }

  private static void fill(Span s, double value) {
    for (long i = 0; i < s.length(); i++) {
      s.set(i, value);
    }
  }

  private void normal(String name, Span s, double deviation) {
    Random stream = random.stream(name);
    for (long i = 0; i < s.length(); i++) {
      s.set(i, deviation * stream.normal(i));
    }
  }
}
