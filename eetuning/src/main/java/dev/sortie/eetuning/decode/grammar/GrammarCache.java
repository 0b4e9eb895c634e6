package dev.sortie.eetuning.decode.grammar;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The grammars that were asked for last, with what was found out about them: who asks for a form
 * once asks for it again. Thread-safe.
 */
public final class GrammarCache {
  private static final int MOST_KEPT = 8;

  private final Function<Grammar, TokenGrammar> making;
  private final Map<String, TokenGrammar> kept = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * An empty cache.
   *
   * @param making a grammar over the tokens of the model
   */
  public GrammarCache(Function<Grammar, TokenGrammar> making) {
    this.making = making;
  }

  /**
   * A grammar.
   *
   * @param source all that it is made from
   * @param reading makes it
   * @throws dev.sortie.nn.InputException if it is wrong, not supported or too large
   */
  public TokenGrammar get(String source, Supplier<Grammar> reading) {
    TokenGrammar known = kept(source);
    if (known != null) {
      return known;
    }
    TokenGrammar made = making.apply(reading.get());
    keep(source, made);
    return made;
  }

  private synchronized TokenGrammar kept(String source) {
    return kept.get(source);
  }

  private synchronized void keep(String source, TokenGrammar made) {
    kept.put(source, made);
    if (kept.size() > MOST_KEPT) {
      kept.remove(kept.keySet().iterator().next());
    }
  }
}
