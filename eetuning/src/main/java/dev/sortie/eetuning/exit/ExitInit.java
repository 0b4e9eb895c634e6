package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/** Stage 1 of EE-Tuning: where a new exit's weights come from. */
public enum ExitInit {
  /**
   * Copies of the backbone's modules, as EE-Tuning's converter does: head from the final head, norm
   * from the final norm, MLP from the same layer's, layer from the last layer. The architecture
   * says which.
   */
  COPY {
    @Override
    public Weights weights(
        ExitSpec spec, Decoder backbone, Random random, Allocator allocator, Kernels kernels) {
      return (name, shape, role) -> {
        Tensor to = Tensor.allocate(allocator, DType.F32, shape);
        original(name, spec, backbone, allocator)
            .ifPresentOrElse(
                from -> kernels.copy(from.span(), to.span()), () -> kernels.fill(to.span(), 0));
        return to;
      };
    }
  },
  /**
   * {@code N(0, 0.02)}, projections into the residual stream {@code N(0, 0.02 / sqrt(2 depth))},
   * norms 1, biases 0.
   */
  RANDOM {
    @Override
    public Weights weights(
        ExitSpec spec, Decoder backbone, Random random, Allocator allocator, Kernels kernels) {
      return (spec.hasDraftHead()
              ? backbone.sharding().over(spec.draftTokens())
              : backbone.sharding())
          .share(
              new RandomWeights(
                  random.stream("exit at " + spec.depth()), 0.02, spec.depth(), allocator));
    }
  };

  /** The initialisation that {@code word} names. */
  public static ExitInit of(String word) {
    return switch (word) {
      case "copy" -> COPY;
      case "random" -> RANDOM;
      default -> throw new UsageException("--init '" + word + "' is unknown; take copy or random");
    };
  }

  /** Weights for a new exit, in F32, in memory of {@code allocator}. */
  public abstract Weights weights(
      ExitSpec spec, Decoder backbone, Random random, Allocator allocator, Kernels kernels);

  /** A new exit. A draft head covers the lowest ids, until tuning chooses by its data's counts. */
  public Exit build(
      ExitSpec spec, Decoder backbone, long seed, Allocator allocator, Kernels kernels) {
    int vocab = backbone.config().vocab();
    spec.check(backbone.config().layers());
    Optional<DraftVocabulary> draft =
        spec.hasDraftHead()
            ? Optional.of(DraftVocabulary.lowest(spec.draftTokens(), vocab))
            : Optional.empty();
    return new Exit(
        spec,
        backbone,
        weights(spec, backbone, new Random(seed, 0), allocator, kernels),
        draft,
        allocator);
  }

  /**
   * A new lookahead exit. As a copy, its layer is the last one's, both projections are the identity
   * and its norms are 1; of several features the deepest is taken as it is and the others not at
   * all.
   *
   * @param features the layers whose hidden states it reads, ascending; empty for the last
   * @param draftTokens how many tokens its head covers; 0 is all of them
   */
  public Lookahead lookahead(
      List<Integer> features,
      boolean ownHead,
      int draftTokens,
      Decoder backbone,
      long seed,
      Allocator allocator,
      Kernels kernels) {
    int layers = backbone.config().layers();
    // stands for the exit among the names and the random streams
    ExitSpec spec = new ExitSpec(layers, ExitArchitecture.LAYER, ownHead, draftTokens);
    Optional<DraftVocabulary> draft =
        draftTokens == 0
            ? Optional.empty()
            : Optional.of(DraftVocabulary.lowest(draftTokens, backbone.config().vocab()));
    Weights usual = weights(spec, backbone, new Random(seed, 0), allocator, kernels);
    String deepest =
        Lookahead.FEATURE_PROJECTION + Lookahead.features(features, layers).getLast() + ".weight";
    Weights weights =
        (name, shape, role) ->
            switch (name) {
              case "hidden_norm.weight", "token_norm.weight" -> filled(allocator, shape, 1);
              case "hidden_proj.weight", "token_proj.weight" ->
                  this == COPY ? identity(allocator, shape) : usual.get(name, shape, role);
              default -> {
                if (name.startsWith(Lookahead.FEATURE_NORM)) {
                  yield filled(allocator, shape, 1);
                }
                if (this == COPY && name.startsWith(Lookahead.FEATURE_PROJECTION)) {
                  yield name.equals(deepest)
                      ? identity(allocator, shape)
                      : filled(allocator, shape, 0);
                }
                yield usual.get(name, shape, role);
              }
            };
    return new Lookahead(backbone, weights, features, ownHead, draft, allocator);
  }

  private static Tensor filled(Allocator allocator, Shape shape, double value) {
    Tensor t = Tensor.allocate(allocator, DType.F32, shape);
    for (long i = 0; i < shape.count(); i++) {
      t.span().set(i, value);
    }
    return t;
  }

  private static Tensor identity(Allocator allocator, Shape shape) {
    Tensor t = filled(allocator, shape, 0);
    for (long i = 0; i < shape.dim(0); i++) {
      t.span().set(i * shape.dim(1) + i, 1);
    }
    return t;
  }

  private static Tensor held(String source, ExitSpec spec, Decoder backbone) {
    Tensor t = backbone.parameters().get(source);
    if (t == null && !backbone.config().switches().bases().isNone()) {
      throw new InputException(
          "%s at depth %d would begin as a copy of %s, which in this backbone is a product of a shared basis and coefficients; take --init random, or --arch norm or embedding"
              .formatted(spec.architecture().word(), spec.depth(), source));
    }
    return Objects.requireNonNull(t, source);
  }

  /** The backbone's tensor that an exit's tensor begins as; none if it begins at 0. */
  private static Optional<Tensor> original(
      String name, ExitSpec spec, Decoder backbone, Allocator allocator) {
    if (name.equals("head.weight")) {
      Tensor whole = backbone.head().weight();
      int[] lowest = IntStream.range(0, spec.draftTokens()).toArray();
      return Optional.of(
          spec.hasDraftHead() ? backbone.sharding().rows(whole, lowest, allocator) : whole);
    }
    return spec.architecture()
        .original(name, spec.depth(), backbone)
        .map(source -> held(source, spec, backbone));
  }
}
