package dev.sortie.eetuning.decode.speculative;

import java.util.Arrays;

/**
 * Draft tokens: proposed, not yet verified.
 *
 * @param tokens those that may follow the text, the first right after it; empty for no draft
 * @param kind the source's kind of draft, 0 to {@link #KINDS} - 1: drafts of one kind are taken to
 *     be right about equally often
 * @param probabilities how likely each token is right if those before it are, as the source sees
 *     it; empty where it cannot say
 */
public record Draft(int[] tokens, int kind, double[] probabilities) {
  /** Kinds that a source may tell apart. */
  public static final int KINDS = 8;

  /** No draft. */
  public static final Draft NONE = new Draft(new int[0], 0);

  /** A draft whose source cannot say how likely it is right. */
  public Draft(int[] tokens, int kind) {
    this(tokens, kind, new double[0]);
  }

  public Draft {
    if (kind < 0 || kind >= KINDS) {
      throw new IllegalArgumentException("draft kind " + kind + ", expected 0 to " + (KINDS - 1));
    }
    if (probabilities.length != 0 && probabilities.length != tokens.length) {
      throw new IllegalArgumentException(
          tokens.length + " draft tokens and " + probabilities.length + " probabilities");
    }
  }

  /** How many tokens. */
  public int length() {
    return tokens.length;
  }

  /** The first {@code count} of its tokens. */
  Draft first(int count) {
    return count == tokens.length
        ? this
        : new Draft(
            Arrays.copyOf(tokens, count),
            kind,
            Arrays.copyOf(probabilities, Math.min(count, probabilities.length)));
  }
}
