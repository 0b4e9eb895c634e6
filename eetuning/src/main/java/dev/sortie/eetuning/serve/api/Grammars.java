package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.GrammarCache;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.nn.InputException;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** The grammars that requests ask for, over the tokens of the served model. Thread-safe. */
final class Grammars {
  private final ServedModel served;
  private final GrammarCache kept = new GrammarCache();
  private Optional<TokenVocabulary> vocabulary = Optional.empty();

  Grammars(ServedModel served) {
    this.served = served;
  }

  /**
   * A grammar of whole answers.
   *
   * @param param the field that asks for it, named in errors
   * @param source all that it is made from
   * @param reading makes it
   * @throws ApiError if it is wrong, not supported or too large
   */
  Supplier<LogitRule> get(String param, String source, Supplier<Grammar> reading) {
    return over(param, source, tokens -> new TokenGrammar(reading.get(), tokens));
  }

  /**
   * As above.
   *
   * @param making makes the grammar over the tokens of the model
   */
  Supplier<LogitRule> over(
      String param,
      String source,
      Function<TokenVocabulary, ? extends Supplier<LogitRule>> making) {
    try {
      return kept.get(source, () -> making.apply(vocabulary()));
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
