package dev.sortie.eetuning.exit;

import java.util.Arrays;
import java.util.Objects;

/**
 * How texts of a model continue: for one or two tokens, the token that follows them most often, and
 * how often it does. Counted once on text that the model wrote; decoding drafts with it where the
 * text at hand says nothing. Immutable.
 */
public final class NgramTable {
  /** A context without a first token. */
  public static final int NONE = -1;

  /** Of a token, so that three of them fit a number. */
  private static final int ID_BITS = 21;

  private static final int ID_MASK = (1 << ID_BITS) - 1;

  /** Ids of tokens are below this; the next one stands for {@link #NONE}. */
  public static final int MAX_VOCAB = ID_MASK;

  /** Times that a continuation was seen at least: one that was seen once is chance. */
  private static final int LEAST = 2;

  private final long[] contexts;
  private final int[] next;
  private final float[] probability;

  /**
   * A table of {@code contexts.length} contexts, which are kept, not copied.
   *
   * @param contexts by {@link #context}, rising
   * @param next the token that follows each
   * @param probability that it does, above 0 and at most 1
   */
  NgramTable(long[] contexts, int[] next, float[] probability) {
    this.contexts = contexts;
    this.next = next;
    this.probability = probability;
  }

  /**
   * Counts a text. A continuation that was seen {@code c} times after a context that was seen
   * {@code n} times has the probability {@code (c - 0.5) / (n + 0.5)}: counts of one's own text are
   * too high for another one, small ones most.
   *
   * @param tokens ids below {@link #MAX_VOCAB}, one document after another
   */
  public static NgramTable count(int[] tokens) {
    Builder table = new Builder();
    table.add(continued(tokens, 1));
    table.add(continued(tokens, 2));
    return table.build();
  }

  /** Number of contexts. */
  public int size() {
    return contexts.length;
  }

  /**
   * The entry for the two tokens at the end of a text, or else for the last one alone.
   *
   * @param before the token before the last, or {@link #NONE}
   * @return its index; -1 if neither was seen
   */
  public int find(int before, int last) {
    int pair = before == NONE ? -1 : Arrays.binarySearch(contexts, context(before, last));
    return pair >= 0 ? pair : Math.max(-1, Arrays.binarySearch(contexts, context(NONE, last)));
  }

  /** The token that follows most often. */
  public int next(int entry) {
    return next[entry];
  }

  /** The probability that it follows. */
  public float probability(int entry) {
    return probability[entry];
  }

  /** The first of the two tokens of a context, or {@link #NONE}. */
  int before(int entry) {
    return (int) (contexts[entry] >> ID_BITS) - 1;
  }

  /** The last token of a context. */
  int last(int entry) {
    return (int) contexts[entry] & ID_MASK;
  }

  /** Two tokens as one number. */
  static long context(int before, int last) {
    return (long) id(before + 1) << ID_BITS | id(last);
  }

  private static int id(int token) {
    return Objects.checkIndex(token, 1 << ID_BITS);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NgramTable t
        && Arrays.equals(contexts, t.contexts)
        && Arrays.equals(next, t.next)
        && Arrays.equals(probability, t.probability);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(contexts);
  }

  /** Each context of one or two tokens and the token that follows it, as one number, sorted. */
  private static long[] continued(int[] tokens, int length) {
    long[] all = new long[Math.max(0, tokens.length - length)];
    for (int i = 0; i < all.length; i++) {
      int before = length == 1 ? NONE : tokens[i];
      all[i] = context(before, tokens[i + length - 1]) << ID_BITS | id(tokens[i + length]);
    }
    Arrays.sort(all);
    return all;
  }

  /** Collects contexts in rising order. */
  private static final class Builder {
    private long[] contexts = new long[1024];
    private int[] next = new int[1024];
    private float[] probability = new float[1024];
    private int size;

    /** Adds the contexts of {@link #continued}. */
    void add(long[] all) {
      int end;
      for (int from = 0; from < all.length; from = end) {
        long context = all[from] >> ID_BITS;
        int most = 0;
        int best = 0;
        end = from;
        while (end < all.length && all[end] >> ID_BITS == context) {
          int first = end;
          while (end < all.length && all[end] == all[first]) {
            end++;
          }
          if (end - first > most) {
            most = end - first;
            best = (int) all[first] & ID_MASK;
          }
        }
        if (most >= LEAST) {
          add(context, best, (most - 0.5f) / (end - from + 0.5f));
        }
      }
    }

    private void add(long context, int token, float p) {
      if (size == contexts.length) {
        contexts = Arrays.copyOf(contexts, 2 * size);
        next = Arrays.copyOf(next, 2 * size);
        probability = Arrays.copyOf(probability, 2 * size);
      }
      contexts[size] = context;
      next[size] = token;
      probability[size++] = p;
    }

    NgramTable build() {
      return new NgramTable(
          Arrays.copyOf(contexts, size),
          Arrays.copyOf(next, size),
          Arrays.copyOf(probability, size));
    }
  }
}
