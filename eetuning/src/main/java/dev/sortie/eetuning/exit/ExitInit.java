package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;

/** Stage 1 of EE-Tuning: where a new exit's weights come from. */
public enum ExitInit {
  /**
   * Copies of the backbone's modules, as EE-Tuning's converter does: head from the final head, norm
   * from the final norm, MLP from the same layer's, layer from the last layer. A copied {@code
   * norm} or {@code mlp} exit is at first exactly the logit lens.
   */
  COPY {
    @Override
    Weights weights(
        ExitSpec spec, Decoder backbone, Random random, Allocator allocator, Kernels kernels) {
      return (name, shape, role) -> copy(original(name, spec, backbone), shape, allocator, kernels);
    }
  },
  /**
   * {@code N(0, 0.02)}, projections into the residual stream {@code N(0, 0.02 / sqrt(2 depth))},
   * norms 1, biases 0.
   */
  RANDOM {
    @Override
    Weights weights(
        ExitSpec spec, Decoder backbone, Random random, Allocator allocator, Kernels kernels) {
      return new RandomWeights(
          random.stream("exit at " + spec.depth()), 0.02, spec.depth(), allocator);
    }
  };

  /** The initialisation that {@code word} names. */
  public static ExitInit of(String word) {
    return switch (word) {
      case "copy" -> COPY;
      case "random" -> RANDOM;
      default ->
          throw new InputException("initialisation '" + word + "' is unknown; take copy or random");
    };
  }

  /** Weights for a new exit, in F32, in memory of {@code allocator}. */
  abstract Weights weights(
      ExitSpec spec, Decoder backbone, Random random, Allocator allocator, Kernels kernels);

  /** A new exit. */
  public Exit build(
      ExitSpec spec, Decoder backbone, long seed, Allocator allocator, Kernels kernels) {
    spec.check(backbone.config().layers());
    return new Exit(
        spec, backbone, weights(spec, backbone, new Random(seed, 0), allocator, kernels));
  }

  /** The backbone tensor that an exit's tensor begins as. */
  private static Tensor original(String name, ExitSpec spec, Decoder backbone) {
    if (name.equals("head.weight")) {
      return backbone.head().weight();
    }
    String source =
        name.equals("norm.weight")
            ? "model.norm.weight"
            : name.startsWith("layer.")
                ? "model.layers."
                    + (backbone.config().layers() - 1)
                    + "."
                    + name.substring("layer.".length())
                : "model.layers." + (spec.depth() - 1) + "." + name;
    return backbone.parameters().get(source);
  }

  private static Tensor copy(Tensor from, Shape shape, Allocator allocator, Kernels kernels) {
    Tensor to = Tensor.allocate(allocator, DType.F32, shape);
    kernels.copy(from.span(), to.span());
    return to;
  }
}
