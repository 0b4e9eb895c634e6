package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.nn.model.DecoderConfig;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What is noted in the exits file of how exits were tuned. */
public final class TuningMetadata {
  private TuningMetadata() {}

  /**
   * What decides the result: the options, and which share of the data's tokens each draft head
   * covers.
   */
  public static Map<String, Object> of(
      TuneOptions options, Exits exits, TokenSource data, DecoderConfig backbone) {
    Map<String, Object> m = new LinkedHashMap<>(options.describe());
    if (exits.lookahead().isPresent()) {
      m.put("lookahead_unroll", options.lookahead().unroll());
      m.put("lookahead_hidden_weight", options.lookahead().hiddenWeight());
    }
    Map<String, Object> coverage = new LinkedHashMap<>();
    long[] counts = data.counts(backbone.vocab());
    exits.exits().forEach(e -> note(coverage, e.depth(), e.draft(), counts));
    Optional<DraftVocabulary> last = exits.lookahead().flatMap(Lookahead::draft);
    note(coverage, backbone.layers(), last, counts);
    if (!coverage.isEmpty()) {
      m.put("draft_coverage", coverage);
    }
    return m;
  }

  /**
   * What decides the result, and the data.
   *
   * @param description the options, as above
   */
  public static Map<String, Object> withData(Map<String, Object> description, TokenSource data) {
    Map<String, Object> m = new LinkedHashMap<>(description);
    m.put("seq_len", data.length());
    m.put("data", data.fingerprint());
    return m;
  }

  private static void note(
      Map<String, Object> coverage, int depth, Optional<DraftVocabulary> draft, long[] counts) {
    draft.ifPresent(d -> coverage.put(String.valueOf(depth), d.coverage(counts)));
  }
}
