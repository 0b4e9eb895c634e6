package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
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

  static Linear of(
      Weights weights,
      Decoder backbone,
      boolean own,
      Optional<DraftVocabulary> draft,
      Allocator allocator) {
    if (draft.isPresent() && backbone.sharding() != Sharding.NONE) {
      throw new InputException(
          "a head over the most frequent tokens is not shared out among tensor-parallel ranks; take"
              + " exits with full heads, or --tp 1");
    }
    if (own) {
      int hidden = backbone.config().hidden();
      int outputs = draft.map(DraftVocabulary::size).orElse(backbone.share().vocab());
      return Linear.of(weights, "head", hidden, outputs, false, Weights.Role.INPUT_PROJECTION);
    }
    return draft.map(d -> rows(backbone.head(), d, allocator)).orElse(backbone.head());
  }

  private static Linear rows(Linear head, DraftVocabulary draft, Allocator allocator) {
    if (head.bias() == null) {
      return new Linear(draft.rows(head.weight(), allocator), null);
    }
    Tensor column = Tensor.of(head.bias().span(), Shape.of(head.bias().shape().count(), 1));
    Tensor bias = Tensor.of(draft.rows(column, allocator).span(), Shape.of(draft.size()));
    return new Linear(draft.rows(head.weight(), allocator), bias);
  }
}
