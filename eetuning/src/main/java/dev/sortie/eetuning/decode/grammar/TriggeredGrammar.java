package dev.sortie.eetuning.decode.grammar;

import dev.sortie.eetuning.decode.sampling.LogitRule;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Grammars for parts of a text that is free otherwise: llama.cpp calls them lazy grammars with
 * triggers, vLLM structural tags. From where such a part opens on, all tokens are forbidden but
 * those that lead to a text of its grammar. Before that only tokens are forbidden that open a part
 * and continue it wrongly, so a text without such parts has the bits that it has without a rule.
 * What is found out for one text is kept for the next ones. Thread-safe.
 */
public final class TriggeredGrammar implements Supplier<LogitRule> {
  /** Masks that are kept; one takes as many bits as the vocabulary has tokens at most. */
  private static final int MOST_MASKS = 512;

  private final GrammarStates[] openings = new GrammarStates[2];
  private final GrammarStates[] wholes = new GrammarStates[2];
  private final boolean endsWithLater;
  private final TokenVocabulary vocabulary;
  private final Map<Place, TokenMask> masks = new HashMap<>();
  private final Map<Place, int[]> forbidden = new HashMap<>();
  private final Place start;

  /** Where a text starts that joins its prompt. */
  private final Place joined;

  private final Place between;

  /**
   * A part of a text.
   *
   * @param opening what it opens with, each text of which ends with its last byte; from the byte
   *     after it on the part must be one of {@code whole}
   * @param whole the texts that the part may be, opening included
   */
  public record Part(Grammar opening, Grammar whole) {}

  /** Which of the two parts. */
  private static final int FIRST = 0;

  private static final int LATER = 1;

  /**
   * Where a text is.
   *
   * @param part {@link #FIRST} or {@link #LATER}: the part that may be opening here, or has opened
   * @param opening states of the opening; null after it
   * @param whole states of the part
   * @param isStart whether the next token begins a text, in which some tokenizers leave out a space
   */
  private record Place(int part, Stacks opening, Stacks whole, boolean isStart) {
    boolean isFree() {
      return opening != null;
    }
  }

  /**
   * Grammars over the tokens of a model.
   *
   * @param first a part that the text may begin with; it is all of the text
   * @param later a part that may stand anywhere else, and several times. The first character of its
   *     opening must not come again within the opening
   * @param endsWithLater whether the text ends with such a part
   * @throws dev.sortie.nn.InputException if one is too large, a rule begins with itself, or no text
   *     of it ends
   */
  public TriggeredGrammar(
      Optional<Part> first, Part later, boolean endsWithLater, TokenVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.endsWithLater = endsWithLater;
    first.ifPresent(part -> set(FIRST, part));
    set(LATER, later);
    between = opening(LATER, false);
    int part = first.isPresent() ? FIRST : LATER;
    start = opening(part, true);
    joined = opening(part, false);
  }

  private void set(int part, Part given) {
    openings[part] = new GrammarStates(given.opening());
    wholes[part] = new GrammarStates(given.whole());
  }

  private Place opening(int part, boolean isStart) {
    return new Place(part, openings[part].first(), wholes[part].first(), isStart);
  }

  /** The rule of one text. */
  @Override
  public LogitRule get() {
    return new Rule();
  }

  /** The place after a byte; null where the byte is forbidden. */
  private Place next(Place at, int unsignedByte) {
    int part = at.part();
    Stacks whole = wholes[part].go(at.whole(), unsignedByte);
    if (at.isFree()) {
      Stacks opening = openings[part].go(at.opening(), unsignedByte);
      if (opening.isDead()) {
        return reopened(at, unsignedByte);
      }
      return new Place(part, opening.hasEmpty() ? null : opening, whole, false);
    }
    if (whole.isDead()) {
      return null;
    }
    boolean ended = whole.hasEmpty() && whole.count() == 0;
    return ended && part == LATER && !endsWithLater ? between : new Place(part, null, whole, false);
  }

  /** What came opens nothing; the byte that shows it may be the first of an opening itself. */
  private Place reopened(Place at, int unsignedByte) {
    return at.part() == LATER && at.opening() == openings[LATER].first()
        ? between
        : next(between, unsignedByte);
  }

  private synchronized void apply(Place at, float[] logits) {
    begin();
    TokenTrie trie = vocabulary.trie(at.isStart());
    if (at.isFree()) {
      int[] wrong = forbidden.computeIfAbsent(at, p -> trie.forbidden(p, this::next));
      for (int id : wrong) {
        logits[id] = Float.NEGATIVE_INFINITY;
      }
    } else {
      masks
          .computeIfAbsent(
              at, p -> vocabulary.mask(trie.allowed(p, this::next), p.whole().hasEmpty()))
          .apply(logits);
    }
  }

  private synchronized Place next(Place at, byte[] bytes) {
    begin();
    Place next = at;
    for (byte b : bytes) {
      next = next(next, b & 0xFF);
    }
    return next;
  }

  private void begin() {
    for (GrammarStates[] some : new GrammarStates[][] {openings, wholes}) {
      for (GrammarStates states : some) {
        if (states != null) {
          states.begin();
        }
      }
    }
    if (masks.size() + forbidden.size() > MOST_MASKS) {
      masks.clear();
      forbidden.clear();
    }
  }

  /** Follows one text. */
  private final class Rule implements LogitRule {
    private Place at = start;

    @Override
    public void joinsPrompt() {
      at = joined;
    }

    @Override
    public void apply(float[] logits) {
      TriggeredGrammar.this.apply(at, logits);
    }

    @Override
    public void chosen(int id) {
      byte[] bytes = vocabulary.bytes(id, at.isStart());
      if (bytes != null) { // else it is a special token, or the text has ended
        at = next(at, bytes);
      }
    }
  }
}
