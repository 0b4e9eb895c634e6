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

  private final Automaton automaton;
  private final Configurations configurations;
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
    this.automaton = AutomatonBuilder.build(grammar);
    this.configurations = new Configurations(grammar.origin(), automaton);
    this.vocabulary = vocabulary;
    this.first = configurations.first();
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
    int[] allowed = vocabulary.trie(isFirst).allowed(automaton, configurations, at);
    int[] ends = at.hasEmpty() ? vocabulary.ends() : new int[0];
    int[] all = new int[allowed.length + ends.length];
    System.arraycopy(allowed, 0, all, 0, allowed.length);
    System.arraycopy(ends, 0, all, allowed.length, ends.length);
    TokenMask mask = new TokenMask(all, vocabulary.size());
    if (isFirst) {
      firstMask = mask;
    } else {
      at.setMask(mask);
      maskBytes += mask.bytes();
    }
    return mask;
  }

  private void begin() {
    configurations.begin();
    if (maskBytes > MOST_MASKS) {
      configurations.forget();
      maskBytes = 0;
    }
  }

  private synchronized Stacks next(Stacks at, byte[] bytes) {
    begin();
    Stacks next = at;
    for (byte b : bytes) {
      next = configurations.next(next, automaton.classOf(b & 0xFF));
    }
    return next;
  }

  /** Follows one text. */
  private final class Rule implements LogitRule {
    private Stacks at = first;
    private boolean isFirst = true;

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
