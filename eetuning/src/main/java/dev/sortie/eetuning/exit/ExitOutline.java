package dev.sortie.eetuning.exit;

import dev.sortie.nn.model.DecoderConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an exit is, without its weights.
 *
 * @param depth after how many layers it stands
 * @param architecture empty for the lookahead exit
 * @param ownHead whether it has a head of its own
 * @param draftTokens tokens that its head covers; 0 for all
 * @param features the layers whose hidden states a lookahead exit reads; empty for others
 */
public record ExitOutline(
    int depth,
    Optional<ExitArchitecture> architecture,
    boolean ownHead,
    int draftTokens,
    List<Integer> features) {

  public ExitOutline {
    features = List.copyOf(features);
  }

  /** An exit that reads the hidden states at its depth. */
  public ExitOutline(
      int depth, Optional<ExitArchitecture> architecture, boolean ownHead, int draftTokens) {
    this(
        depth,
        architecture,
        ownHead,
        draftTokens,
        architecture.isEmpty() ? List.of(depth) : List.of());
  }

  /**
   * Those of some exits, the lookahead exit last.
   *
   * @param layers of the backbone
   */
  public static List<ExitOutline> of(Exits exits, int layers) {
    List<ExitOutline> list = new ArrayList<>();
    for (Exit e : exits.exits()) {
      ExitSpec s = e.spec();
      list.add(
          new ExitOutline(s.depth(), Optional.of(s.architecture()), s.ownHead(), s.draftTokens()));
    }
    exits
        .lookahead()
        .ifPresent(
            l ->
                list.add(
                    new ExitOutline(
                        layers,
                        Optional.empty(),
                        l.ownHead(),
                        l.draft().map(DraftVocabulary::size).orElse(0),
                        l.features())));
    return list;
  }

  /** Elements of the matrix that its head reads. */
  public long headWeights(DecoderConfig c) {
    return (long) (draftTokens == 0 ? c.vocab() : draftTokens) * c.hidden();
  }

  /** Whether its head covers the tokens of a text too; see {@link TextTokens}. */
  boolean readsTextTokens() {
    return !isLookahead() && draftTokens > 0 && !ownHead;
  }

  /** Whether it is the lookahead exit. */
  public boolean isLookahead() {
    return architecture.isEmpty();
  }
}
