package dev.sortie.nn.text.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.text.budget.SeededKeys;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import it.unimi.dsi.fastutil.longs.Long2IntOpenHashMap;
import it.unimi.dsi.fastutil.longs.LongArrayList;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** The merges of a BPE model in order of rank: pair of ids to id. Rank 0 is applied first. */
public final class MergeTable {
  /** Largest number of merges. */
  public static final int MAX_SIZE = 1 << 23;

  private final long[] pairs;
  private final int[] results;
  private final SeededKeys keys;
  private final Long2IntOpenHashMap ranks;

  /** What goes first, by rank; null where each rank is before the next one. */
  private final int[] priorities;

  private MergeTable(
      long[] pairs, int[] results, SeededKeys keys, Long2IntOpenHashMap ranks, int[] priorities) {
    this.pairs = pairs;
    this.results = results;
    this.keys = keys;
    this.ranks = ranks;
    this.priorities = priorities;
  }

  /**
   * A table of merges.
   *
   * @param source the file, for messages
   * @param vocabulary has both sides of each merge, and the two joined
   * @param left first tokens by rank
   * @param right second tokens by rank
   * @throws InputException if a token is not in the vocabulary or a pair comes twice
   */
  public static MergeTable of(
      String source, Vocabulary vocabulary, List<String> left, List<String> right) {
    if (right.size() != left.size()) {
      throw new InputException(
          "%s: model.merges has %d and %d sides; they must be equal"
              .formatted(source, left.size(), right.size()));
    }
    Builder merges = new Builder(source, vocabulary);
    for (int rank = 0; rank < left.size(); rank++) {
      merges.add(left.get(rank), right.get(rank));
    }
    return merges.build();
  }

  /** Takes merges one by one, rank 0 first. */
  public static final class Builder {
    private final String source;
    private final Vocabulary vocabulary;
    private final LongArrayList pairs;
    private final IntArrayList results;

    /** The UTF-8 of two tokens that merge. */
    private byte[] joined = new byte[64];

    public Builder(String source, Vocabulary vocabulary) {
      this(source, vocabulary, 0);
    }

    /** With room for so many merges at first. */
    public Builder(String source, Vocabulary vocabulary, int merges) {
      this.source = source;
      this.vocabulary = vocabulary;
      pairs = new LongArrayList(merges);
      results = new IntArrayList(merges);
    }

    public int size() {
      return results.size();
    }

    /**
     * Adds the merge of two tokens.
     *
     * @throws InputException if one of them or the two joined are not in the vocabulary
     */
    public void add(String left, String right) {
      add(known(left), known(right), joined(left, right));
    }

    /**
     * Adds the merge of two tokens by their UTF-8, {@code bytes[left, leftEnd)} and {@code
     * bytes[right, rightEnd)}.
     *
     * @throws InputException if one of them or the two joined are not in the vocabulary
     */
    public void add(byte[] bytes, int left, int leftEnd, int right, int rightEnd) {
      int length = leftEnd - left;
      int joinedLength = length + rightEnd - right;
      if (joined.length < joinedLength) {
        joined = new byte[2 * joinedLength];
      }
      System.arraycopy(bytes, left, joined, 0, length);
      System.arraycopy(bytes, right, joined, length, rightEnd - right);
      int first = vocabulary.id(bytes, left, leftEnd);
      int second = vocabulary.id(bytes, right, rightEnd);
      int result = vocabulary.id(joined, 0, joinedLength);
      if (first < 0 || second < 0 || result < 0) {
        add( // says which is missing
            new String(bytes, left, length, StandardCharsets.UTF_8),
            new String(bytes, right, rightEnd - right, StandardCharsets.UTF_8));
      } else {
        add(first, second, result);
      }
    }

    /** Vocabularies mostly have the results of merges one after the other. */
    private int joined(String left, String right) {
      int next = results.isEmpty() ? -1 : results.getInt(results.size() - 1) + 1;
      String token = vocabulary.token(next);
      boolean same =
          token != null
              && token.length() == left.length() + right.length()
              && token.startsWith(left)
              && token.endsWith(right);
      return same ? next : known(left.concat(right));
    }

    void add(int left, int right, int result) {
      requireRoom(source, results.size());
      pairs.add(pair(left, right));
      results.add(result);
    }

    private int known(String token) {
      int id = vocabulary.id(token);
      if (id < 0) {
        throw new InputException(
            "%s: model.merges[%d] needs %s, not in model.vocab"
                .formatted(source, size(), Printable.quoted(token)));
      }
      return id;
    }

    public MergeTable build() {
      return build(null);
    }

    /** {@code priorities} by rank: of two merges that fit, the lower goes first, else the left. */
    private MergeTable build(int[] priorities) {
      SeededKeys keys = new SeededKeys();
      Long2IntOpenHashMap ranks = new Long2IntOpenHashMap(size());
      ranks.defaultReturnValue(-1);
      for (int rank = 0; rank < size(); rank++) {
        long pair = pairs.getLong(rank);
        int other = ranks.put(keys.of(pair), rank);
        if (other >= 0) {
          throw new InputException(
              "%s: model.merges[%d] and [%d] are both %s %s"
                  .formatted(
                      source,
                      other,
                      rank,
                      Printable.quoted(vocabulary.token((int) (pair >>> 32))),
                      Printable.quoted(vocabulary.token((int) pair))));
        }
      }
      return new MergeTable(pairs.toLongArray(), results.toIntArray(), keys, ranks, priorities);
    }
  }

  /**
   * The merges of SentencePiece's BPE, which stores none: a pair merges if the two joined are a
   * token, and the one of highest score goes first, the leftmost of equals.
   *
   * @param scores of each id of the vocabulary; NaN where no merge may give the id
   */
  public static MergeTable ofScores(String source, Vocabulary vocabulary, float[] scores) {
    return ofScores(source, vocabulary, scores, Set.of());
  }

  /** The same; the tokens in {@code whole} merge with nothing. */
  public static MergeTable ofScores(
      String source, Vocabulary vocabulary, float[] scores, Set<Integer> whole) {
    if (scores.length != vocabulary.size()) {
      throw new InputException(
          "%s: %d scores for a vocabulary of %d ids"
              .formatted(source, scores.length, vocabulary.size()));
    }
    record Scored(float score, int left, int right, int result) {}
    List<Scored> found = new ArrayList<>();
    TokenCuts cuts = new TokenCuts(vocabulary);
    for (int id = 0; id < vocabulary.size(); id++) {
      String token = vocabulary.token(id);
      if (token == null || Float.isNaN(scores[id]) || whole.contains(id)) {
        continue;
      }
      float score = scores[id];
      int result = id;
      cuts.of(
          token,
          (left, right) -> {
            if (!whole.contains(left) && !whole.contains(right)) {
              requireRoom(source, found.size());
              found.add(new Scored(score, left, right, result));
            }
          });
    }
    found.sort(
        Comparator.comparing(Scored::score, Comparator.reverseOrder())
            .thenComparing(Scored::left)
            .thenComparing(Scored::right));
    Builder merges = new Builder(source, vocabulary);
    int[] priorities = new int[found.size()];
    for (int rank = 0; rank < priorities.length; rank++) {
      Scored merge = found.get(rank);
      merges.add(merge.left, merge.right, merge.result);
      boolean same = rank > 0 && found.get(rank - 1).score == merge.score;
      priorities[rank] = same ? priorities[rank - 1] : rank;
    }
    return merges.build(priorities);
  }

  /** The same merges but for those that give some ids. */
  MergeTable without(IntPredicate ids) {
    SeededKeys keys = new SeededKeys();
    int[] kept = IntStream.range(0, size()).filter(rank -> !ids.test(results[rank])).toArray();
    Long2IntOpenHashMap ranks = new Long2IntOpenHashMap(kept.length);
    ranks.defaultReturnValue(-1);
    for (int rank = 0; rank < kept.length; rank++) {
      ranks.put(keys.of(pairs[kept[rank]]), rank);
    }
    return new MergeTable(
        Arrays.stream(kept).mapToLong(rank -> pairs[rank]).toArray(),
        Arrays.stream(kept).map(rank -> results[rank]).toArray(),
        keys,
        ranks,
        priorities == null ? null : Arrays.stream(kept).map(rank -> priorities[rank]).toArray());
  }

  private static void requireRoom(String source, int size) {
    if (size == MAX_SIZE) {
      throw new InputException(source + ": model.merges has more than " + MAX_SIZE + " entries");
    }
  }

  private static long pair(int left, int right) {
    return (long) left << 32 | right;
  }

  /** Number of merges. */
  public int size() {
    return pairs.length;
  }

  /** The rank of a pair of ids, or -1 if it does not merge. */
  public int rank(int left, int right) {
    return ranks.get(keys.of(pair(left, right)));
  }

  /** The lower, the earlier the merge of this rank goes; of equals the leftmost goes first. */
  int priority(int rank) {
    return priorities == null ? rank : priorities[rank];
  }

  /** First id of the merge of this rank. */
  public int left(int rank) {
    return (int) (pairs[rank] >>> 32);
  }

  /** Second id of the merge of this rank. */
  public int right(int rank) {
    return (int) pairs[rank];
  }

  /** The id that the merge of this rank gives. */
  public int result(int rank) {
    return results[rank];
  }
}
