package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.memory.Allocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Exits of which only the outlines are known, to try out what tuning them takes. */
final class OutlinedExits {
  private OutlinedExits() {}

  /**
   * Such exits, never tuned before.
   *
   * @param weights of all of them, whatever they contain
   * @param allocator for what they keep of the backbone
   */
  static Exits of(
      List<ExitOutline> outlines, Decoder backbone, Weights weights, Allocator allocator) {
    List<Exit> between = new ArrayList<>();
    Optional<Lookahead> lookahead = Optional.empty();
    for (ExitOutline e : outlines) {
      int tokens = e.draftTokens();
      Optional<DraftVocabulary> draft =
          tokens == 0
              ? Optional.empty()
              : Optional.of(DraftVocabulary.lowest(tokens, backbone.config().vocab()));
      if (e.isLookahead()) {
        lookahead =
            Optional.of(
                new Lookahead(backbone, weights, e.features(), e.ownHead(), draft, allocator));
      } else {
        ExitSpec spec =
            new ExitSpec(e.depth(), e.architecture().orElseThrow(), e.ownHead(), tokens);
        between.add(new Exit(spec, backbone, weights, draft, allocator));
      }
    }
    return new Exits("", Map.of(), between, lookahead);
  }
}
