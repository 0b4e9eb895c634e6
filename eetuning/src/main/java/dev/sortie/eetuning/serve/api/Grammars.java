package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.GrammarCache;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.nn.InputException;
import java.util.Optional;
import java.util.function.Supplier;

/** The grammars that requests ask for, over the tokens of the served model. Thread-safe. */
final class Grammars {
  private final ServedModel served;
  private final GrammarCache kept =
      new GrammarCache(grammar -> new TokenGrammar(grammar, vocabulary()));
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
    try {
      return kept.get(source, reading);
    } catch (InputException e) {
      throw ApiError.invalid(param, e.getMessage());
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
