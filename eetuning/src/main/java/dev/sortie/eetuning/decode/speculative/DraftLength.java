package dev.sortie.eetuning.decode.speculative;

/**
 * Decides how many tokens to draft, from what it is told of earlier drafts. Sources are numbered
 * from 0; a pass without a draft has source -1.
 */
interface DraftLength {

  /**
   * What to do.
   *
   * @param length tokens to draft, 0 for none
   * @param rate tokens per second to be expected
   */
  record Choice(int length, double rate) {
    /** No draft. */
    static final Choice NONE = new Choice(0, 0);
  }

  /** Tokens per second without a draft; a draft must promise more. */
  double plainRate();

  /**
   * The best length for a draft.
   *
   * @param kind of {@link Draft#kind}
   * @param available tokens at most, at least 1
   */
  Choice choose(int source, int kind, int available);

  /**
   * How many tokens of a draft are expected to be right, of its first 0, 1, … {@code available}.
   *
   * @param kind of {@link Draft#kind}
   */
  double[] expected(int source, int kind, int available);

  /**
   * Whether to ask a source that gives probabilities.
   *
   * @param situation 0 if no free source has a draft, else 1 + the kind of the best one's
   */
  default boolean asks(int source, int situation) {
    return true;
  }

  /**
   * The best length for a draft of a source that gives probabilities.
   *
   * @param situation as it was when the source was asked
   * @param other the best choice without it
   * @param seconds that asking took
   */
  default Choice weigh(int source, int situation, Draft draft, Choice other, double seconds) {
    return draft.length() == 0 ? Choice.NONE : choose(source, draft.kind(), draft.length());
  }

  /**
   * A draft with probabilities was compared with the text, which has its first {@code right}
   * tokens.
   */
  default void compared(int source, Draft draft, int right) {}

  /**
   * A draft was compared with the text.
   *
   * @param right how many of its first tokens the text has
   * @param failed whether the draft was wrong then, or the source gave up; otherwise it just ended
   */
  void compared(int source, int kind, int right, boolean failed);

  /**
   * A pass is used up.
   *
   * @param limit tokens that the source was asked for
   * @param seconds time for the pass, and for drafting unless the source gives probabilities
   * @param emitted tokens that came of it, at least 1
   */
  void finished(int source, int limit, double seconds, int emitted);
}
