package dev.sortie.eetuning.decode.grammar;

import dev.sortie.eetuning.decode.sampling.LogitRule;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The grammars that were asked for last, with what was found out about them: who asks for a form
 * once asks for it again. Thread-safe.
 */
public final class GrammarCache {
  private static final int MOST_KEPT = 8;

  private final Map<String, Supplier<LogitRule>> kept = new LinkedHashMap<>(16, 0.75f, true);

  /** An empty cache. */
  public GrammarCache() {}

  /**
   * A grammar.
   *
   * @param source all that it is made from
   * @param making makes it
   * @throws dev.sortie.nn.InputException if it is wrong, not supported or too large
   */
  public Supplier<LogitRule> get(String source, Supplier<? extends Supplier<LogitRule>> making) {
    Supplier<LogitRule> known = kept(source);
    if (known != null) {
      return known;
    }
    Supplier<LogitRule> made = making.get();
    keep(source, made);
    return made;
  }

  private synchronized Supplier<LogitRule> kept(String source) {
    return kept.get(source);
  }

  private synchronized void keep(String source, Supplier<LogitRule> made) {
    kept.put(source, made);
    if (kept.size() > MOST_KEPT) {
      kept.remove(kept.keySet().iterator().next());
    }
  }
}
