package dev.sortie.eetuning.exit;

import dev.sortie.nn.Linear;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
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
    if (own) {
      int hidden = backbone.config().hidden();
      int outputs = draft.map(DraftVocabulary::size).orElse(backbone.config().vocab());
      return Linear.of(weights, "head", hidden, outputs, false, Weights.Role.INPUT_PROJECTION);
    }
    return draft
        .map(d -> new Linear(d.rows(backbone.head().weight(), allocator), null))
        .orElse(backbone.head());
  }
}
