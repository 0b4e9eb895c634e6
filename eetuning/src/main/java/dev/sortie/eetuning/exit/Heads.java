package dev.sortie.eetuning.exit;

import dev.sortie.nn.Linear;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.Allocator;
import java.util.Optional;

/** The heads that exits read: own or the backbone's, over all tokens or the most frequent. */
final class Heads {
  private Heads() {}

  /** Where a head meets those of other ranks. */
  static Sharding sharding(Decoder backbone, Optional<DraftVocabulary> draft) {
    Sharding all = backbone.sharding();
    return draft.map(d -> all.over(d.size())).orElse(all);
  }

  /** A call of all ranks, where some share the weights. */
  static Linear of(
      Weights weights,
      Decoder backbone,
      boolean own,
      Optional<DraftVocabulary> draft,
      Allocator allocator) {
    if (own) {
      int hidden = backbone.config().hidden();
      int outputs = draft.map(d -> held(backbone, d)).orElse(backbone.share().vocab());
      return Linear.of(weights, "head", hidden, outputs, false, Weights.Role.INPUT_PROJECTION);
    }
    return draft.map(d -> rows(backbone, d, allocator)).orElse(backbone.head());
  }

  /** How many of a draft head's tokens this rank has. */
  private static int held(Decoder backbone, DraftVocabulary draft) {
    return sharding(backbone, Optional.of(draft)).held(draft.size());
  }

  /** The backbone's rows for the tokens of {@code draft}, a copy of them. */
  static Linear rows(Decoder backbone, DraftVocabulary draft, Allocator allocator) {
    Linear head = backbone.head();
    Tensor weight = backbone.sharding().rows(head.weight(), draft.ids(), allocator);
    if (head.bias() == null) {
      return new Linear(weight, null);
    }
    Tensor column = Tensor.of(head.bias().span(), Shape.of(head.bias().shape().count(), 1));
    Tensor bias = backbone.sharding().rows(column, draft.ids(), allocator);
    return new Linear(weight, Tensor.of(bias.span(), Shape.of(weight.shape().dim(0))));
  }
}
