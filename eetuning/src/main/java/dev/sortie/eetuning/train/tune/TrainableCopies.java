package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Copies of exits that collect gradients. Exits that were not tuned before get the tokens of their
 * draft heads here: the most frequent ones of the tuning data.
 *
 * @param backbone of the exits
 * @param data what they will be tuned on
 * @param allocator for the copies
 * @param kernels that copy
 */
record TrainableCopies(Decoder backbone, TokenSource data, Allocator allocator, Kernels kernels) {

  Exits of(Exits start) {
    boolean fresh = start.tuning().isEmpty();
    boolean drafts =
        start.exits().stream().anyMatch(e -> e.draft().isPresent())
            || start.lookahead().flatMap(Lookahead::draft).isPresent();
    long[] counts = fresh && drafts ? data.counts(backbone.config().vocab()) : null;
    return new Exits(
        start.backboneSha256(),
        List.of(),
        start.tuning(),
        start.exits().stream().map(e -> exit(e, counts)).toList(),
        start.lookahead().map(l -> lookahead(l, counts)),
        start.ngrams());
  }

  private Exit exit(Exit e, long[] counts) {
    Optional<DraftVocabulary> draft = chosen(e.draft(), counts);
    return new Exit(e.spec(), backbone, copies(e.parameters(), e.draft(), draft), draft, allocator);
  }

  private Lookahead lookahead(Lookahead l, long[] counts) {
    Optional<DraftVocabulary> draft = chosen(l.draft(), counts);
    return new Lookahead(
        backbone,
        copies(l.parameters(), l.draft(), draft),
        l.features(),
        l.ownHead(),
        draft,
        allocator);
  }

  private static Optional<DraftVocabulary> chosen(Optional<DraftVocabulary> draft, long[] counts) {
    return counts == null ? draft : draft.map(d -> DraftVocabulary.mostFrequent(counts, d.size()));
  }

  private Weights copies(
      Map<String, Tensor> from, Optional<DraftVocabulary> was, Optional<DraftVocabulary> is) {
    return (name, shape, role) -> {
      Tensor copy = Tensor.allocate(allocator, DType.F32, shape);
      Tensor original = from.get(name);
      if (name.equals("head.weight") && !was.equals(is)) {
        headRows(original, was.orElseThrow(), copy, is.orElseThrow());
      } else {
        kernels.copy(original.span(), copy.span());
      }
      return copy.asParameter();
    };
  }

  /**
   * An own draft head over other tokens: rows of tokens it had, else those of the backbone. Both
   * are asked for all of the new tokens that they have, and give rows of zeros for the others.
   */
  private void headRows(Tensor from, DraftVocabulary was, Tensor to, DraftVocabulary is) {
    int[] kept = Arrays.stream(is.ids()).map(was::index).toArray();
    int[] added = Arrays.stream(is.ids()).map(id -> was.index(id) < 0 ? id : -1).toArray();
    Sharding sharding = backbone.sharding();
    try (NativeArena scratch = new NativeArena("rows of a draft head")) {
      Tensor own = sharding.over(was.size()).rows(from, kept, scratch);
      Tensor others = sharding.rows(backbone.head().weight(), added, scratch);
      kernels.copy(others.span(), to.span());
      kernels.axpy(1, own.span(), to.span());
    }
  }
}
