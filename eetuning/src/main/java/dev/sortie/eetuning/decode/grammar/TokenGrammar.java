package dev.sortie.eetuning.decode.grammar;

import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.nn.InputException;
import java.util.function.Supplier;

/**
 * A grammar for texts of one model: gives the rule that forbids all tokens but those that lead to a
 * text of the grammar. What is found out for one text is kept for the next ones. Thread-safe.
 *
 * <p>A token is allowed where the text with it can be continued to one of the grammar; the tokens
 * that end a text are allowed where it is one. So each step costs a walk over the tokens' tree
 * where its configuration is new, and a copy of the mask where it is known.
 */
public final class TokenGrammar implements Supplier<LogitRule> {
  /** Bytes of masks that are kept. */
  private static final int MOST_MASKS = 4 << 20;

  private final GrammarStates states;
  private final TokenVocabulary vocabulary;
  private final Stacks first;
  private TokenMask firstMask;
  private int maskBytes;

  /**
   * A grammar over the tokens of a model.
   *
   * @throws InputException if it is too large, a rule begins with itself, or no text of it ends
   */
  public TokenGrammar(Grammar grammar, TokenVocabulary vocabulary) {
    this.states = new GrammarStates(grammar);
    this.vocabulary = vocabulary;
    this.first = states.first();
  }

  /** The rule of one text. */
  @Override
  public LogitRule get() {
    return new Rule();
  }

  private synchronized TokenMask mask(Stacks at, boolean isFirst) {
    TokenMask known = isFirst ? firstMask : at.mask();
    if (known != null) {
      return known;
    }
    begin();
    int[] allowed = vocabulary.trie(isFirst).allowed(at, states);
    TokenMask mask = vocabulary.mask(allowed, at.hasEmpty());
    if (isFirst) {
      firstMask = mask;
    } else {
      at.setMask(mask);
      maskBytes += mask.bytes();
    }
    return mask;
  }

  private void begin() {
    states.begin();
    if (maskBytes > MOST_MASKS) {
      states.forget();
      maskBytes = 0;
    }
  }

  private synchronized Stacks next(Stacks at, byte[] bytes) {
    begin();
    Stacks next = at;
    for (byte b : bytes) {
      next = states.go(next, b & 0xFF);
    }
    return next;
  }

  /** Follows one text. */
  private final class Rule implements LogitRule {
    private Stacks at = first;
    private boolean isFirst = true;

    @Override
    public void joinsPrompt() {
      isFirst = false;
    }

    @Override
    public void apply(float[] logits) {
      mask(at, isFirst).apply(logits);
    }

    @Override
    public void chosen(int id) {
      byte[] bytes = vocabulary.bytes(id, isFirst);
      if (bytes != null) { // else the text has ended
        at = next(at, bytes);
        isFirst = false;
      }
    }
  }
}
