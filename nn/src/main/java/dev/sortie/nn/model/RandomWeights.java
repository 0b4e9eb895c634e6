package dev.sortie.nn.model;

import dev.sortie.nn.Slice;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;

/**
 * Initialisation from scratch as in GPT-2 and Megatron: {@code N(0, std)}, projections into the
 * residual stream {@code N(0, std / sqrt(2 layers))}, norms 1, biases 0. Each number depends on the
 * seed, the tensor's name and its index in the whole tensor only.
 *
 * @param random the seed
 * @param std standard deviation, usually 0.02
 * @param layers depth of the model
 * @param allocator where to put them
 */
public record RandomWeights(Random random, double std, int layers, Allocator allocator)
    implements SlicedWeights {

  @Override
  public Tensor get(String name, Shape shape, Role role) {
    return get(name, shape, role, new Slice(0, 0, shape.dim(0)));
  }

  @Override
  public Tensor get(String name, Shape whole, Role role, Slice part) {
    Tensor t = Tensor.allocate(allocator, DType.F32, part.of(whole));
    Span s = t.span();
    switch (role) {
      case NORM -> fill(s, 1);
      case BIAS -> fill(s, 0);
      case EMBEDDING, INPUT_PROJECTION -> normal(name, whole, part, s, std);
      case OUTPUT_PROJECTION -> normal(name, whole, part, s, std / Math.sqrt(2.0 * layers));
    }
    return t;
  }

  private static void fill(Span s, double value) {
    for (long i = 0; i < s.length(); i++) {
      s.set(i, value);
    }
  }

  /** Element by element, by its index in the whole tensor. */
  private void normal(String name, Shape whole, Slice part, Span s, double deviation) {
    Random stream = random.stream(name);
    long inner = 1; // elements from one neighbour along the dim to the next
    for (int d = part.dim() + 1; d < whole.rank(); d++) {
      inner *= whole.dim(d);
    }
    long run = part.count() * inner;
    long step = whole.dim(part.dim()) * inner;
    for (long i = 0; i < s.length(); i++) {
      long index = i / run * step + part.from() * inner + i % run;
      s.set(i, deviation * stream.normal(index));
    }
  }
}
