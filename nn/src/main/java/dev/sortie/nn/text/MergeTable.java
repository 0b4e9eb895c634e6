package dev.sortie.nn.text;

import dev.sortie.nn.InputException;
import it.unimi.dsi.fastutil.longs.Long2IntOpenHashMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The merges of a BPE model in order of rank: pair of ids to id. Rank 0 is applied first. */
public final class MergeTable {
  /** Largest number of merges. */
  public static final int MAX_SIZE = 1 << 23;

  private final long[] pairs;
  private final int[] results;
  private final Long2IntOpenHashMap ranks;

  /**
   * A table of merges.
   *
   * @param source the file, for messages
   * @param vocabulary has both sides of each merge, and the two joined
   * @param left first tokens by rank
   * @param right second tokens by rank
   * @throws InputException if a token is not in the vocabulary or a pair comes twice
   */
  public MergeTable(String source, Vocabulary vocabulary, List<String> left, List<String> right) {
    int n = left.size();
    if (right.size() != n || n > MAX_SIZE) {
      throw new InputException(
          "%s: model.merges has %d and %d sides; they must be equal and at most %d"
              .formatted(source, n, right.size(), MAX_SIZE));
    }
    pairs = new long[n];
    results = new int[n];
    ranks = new Long2IntOpenHashMap(n);
    ranks.defaultReturnValue(-1);
    for (int rank = 0; rank < n; rank++) {
      String a = left.get(rank);
      String b = right.get(rank);
      pairs[rank] = pair(known(source, vocabulary, rank, a), known(source, vocabulary, rank, b));
      results[rank] = known(source, vocabulary, rank, a + b);
      int other = ranks.put(pairs[rank], rank);
      if (other >= 0) {
        throw new InputException(
            "%s: model.merges[%d] and [%d] are both %s %s"
                .formatted(source, other, rank, Quoted.of(a), Quoted.of(b)));
      }
    }
  }

  /**
   * The merges of SentencePiece's BPE, which stores none: a pair merges if the two joined are a
   * token, and the one of highest score goes first. Equal scores go by the lower ids.
   *
   * @param scores of each id of the vocabulary; NaN where no merge may give the id
   */
  public static MergeTable ofScores(String source, Vocabulary vocabulary, float[] scores) {
    if (scores.length != vocabulary.size()) {
      throw new InputException(
          "%s: %d scores for a vocabulary of %d ids"
              .formatted(source, scores.length, vocabulary.size()));
    }
    record Scored(float score, int left, int right) {}
    List<Scored> found = new ArrayList<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      String token = vocabulary.token(id);
      boolean mergeable = token != null && !Float.isNaN(scores[id]);
      for (int cut = 1; mergeable && cut < token.length(); cut++) {
        int left = vocabulary.id(token.substring(0, cut));
        int right = vocabulary.id(token.substring(cut));
        if (left >= 0 && right >= 0) {
          found.add(new Scored(scores[id], left, right));
        }
      }
    }
    found.sort(
        Comparator.comparing(Scored::score, Comparator.reverseOrder())
            .thenComparing(Scored::left)
            .thenComparing(Scored::right));
    return new MergeTable(
        source,
        vocabulary,
        found.stream().map(merge -> vocabulary.token(merge.left)).toList(),
        found.stream().map(merge -> vocabulary.token(merge.right)).toList());
  }

  private static int known(String source, Vocabulary vocabulary, int rank, String token) {
    int id = vocabulary.id(token);
    if (id < 0) {
      throw new InputException(
          "%s: model.merges[%d] needs %s, not in model.vocab"
              .formatted(source, rank, Quoted.of(token)));
    }
    return id;
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
    return ranks.get(pair(left, right));
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
