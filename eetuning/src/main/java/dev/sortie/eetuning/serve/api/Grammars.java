package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.nn.InputException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The grammars that requests ask for, over the tokens of the served model. The last ones are kept
 * with what was found out about them, for clients ask with the same one again and again.
 * Thread-safe.
 */
final class Grammars {
  private static final int MOST_KEPT = 8;

  private final ServedModel served;
  private final Map<String, TokenGrammar> kept = new LinkedHashMap<>(16, 0.75f, true);
  private Optional<TokenVocabulary> vocabulary = Optional.empty();

  Grammars(ServedModel served) {
    this.served = served;
  }

  /**
   * A grammar.
   *
   * @param param the field that asks for it, named in errors
   * @param source all that it is made from
   * @param reading makes it
   * @throws ApiError if it is wrong, not supported or too large
   */
  TokenGrammar get(String param, String source, Supplier<Grammar> reading) {
    TokenGrammar known = kept(source);
    if (known != null) {
      return known;
    }
    try {
      TokenGrammar made = new TokenGrammar(reading.get(), vocabulary());
      keep(source, made);
      return made;
    } catch (InputException e) {
      throw ApiError.invalid(param, e.getMessage());
    }
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

  private synchronized TokenVocabulary vocabulary() {
    if (vocabulary.isEmpty()) {
      vocabulary =
          Optional.of(
              new TokenVocabulary(
                  served.model().tokenizer(), served.vocab(), served.engine().ends()));
    }
    return vocabulary.get();
  }
}
