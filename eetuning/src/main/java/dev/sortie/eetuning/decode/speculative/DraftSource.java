package dev.sortie.eetuning.decode.speculative;

import java.util.List;

/**
 * Proposes how a text continues, for {@link Speculative} to verify. A draft decides how fast a
 * token comes, never which. Serves one sequence; not thread-safe.
 */
public interface DraftSource extends AutoCloseable {

  /** Its name in options and traces. */
  String name();

  /**
   * Drafts the tokens that follow.
   *
   * @param context the text so far, and what the backbone left of it
   * @param max tokens at most, 1 or more
   */
  Draft draft(DraftContext context, int max);

  /**
   * The text was cut: what is known of positions {@code count} and above no longer holds. Draft
   * tokens are no part of the text.
   */
  void rewind(int count);

  /**
   * What drafting one token costs, in passes of one token through the whole model; a first
   * estimate, time is measured. 0 means next to nothing: such a source is asked for each pass, so
   * that how often it is right is known also while it is not listened to.
   */
  double cost();

  /**
   * How often a draft token is taken to be right before it is known, given that the draft tokens
   * before it were.
   *
   * @param kind of {@link Draft#kind}
   * @param place in the draft, from 0
   */
  default double prior(int kind, int place) {
    return 0.5;
  }

  /**
   * Whether it says how likely its draft tokens are right, and costs so little that it is asked
   * before it is decided what to verify.
   */
  default boolean givesProbabilities() {
    return false;
  }

  /**
   * The depth at which this source reads hidden states, through {@link DraftContext#descend}; 0 if
   * it reads none.
   */
  default int depth() {
    return 0;
  }

  /** The layers whose outputs it reads, by {@link DraftContext#features}. */
  default List<Integer> features() {
    return List.of();
  }

  @Override
  void close();
}
