package dev.sortie.nn.text;

import it.unimi.dsi.fastutil.ints.IntArrayList;
import it.unimi.dsi.fastutil.longs.Long2IntOpenHashMap;
import it.unimi.dsi.fastutil.longs.Long2LongOpenHashMap;
import it.unimi.dsi.fastutil.longs.Long2ObjectOpenHashMap;
import it.unimi.dsi.fastutil.longs.LongOpenHashSet;
import it.unimi.dsi.fastutil.objects.Object2IntOpenHashMap;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * The loop of BPE training. Each distinct piece is kept once with its count; a merge visits only
 * the pieces that have the pair and corrects the counts of their pairs. The queue may hold outdated
 * counts, which are too high at most, and corrects them when they come up.
 */
final class PairMerging {
  private final List<String> tokens;
  private final Object2IntOpenHashMap<String> ids = new Object2IntOpenHashMap<>();
  private final int[][] words;
  private final long[] wordCounts;
  private final Long2LongOpenHashMap pairCounts = new Long2LongOpenHashMap();
  private final Long2ObjectOpenHashMap<IntArrayList> wordsOfPair = new Long2ObjectOpenHashMap<>();
  private final Long2IntOpenHashMap merged = new Long2IntOpenHashMap();
  private final PriorityQueue<Candidate> queue = new PriorityQueue<>();
  private final List<String> left = new ArrayList<>();
  private final List<String> right = new ArrayList<>();

  private record Candidate(long count, long pair) implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      return count != other.count
          ? Long.compare(other.count, count)
          : Long.compare(pair, other.pair);
    }
  }

  /**
   * Ready to merge.
   *
   * @param tokens the tokens so far; grows
   * @param pieces the pieces with their counts
   * @param byteIds the token of each byte
   */
  PairMerging(List<String> tokens, Map<String, Long> pieces, int[] byteIds) {
    this.tokens = tokens;
    merged.defaultReturnValue(-1);
    ids.defaultReturnValue(-1);
    for (int id = 0; id < tokens.size(); id++) {
      ids.put(tokens.get(id), id);
    }
    words = new int[pieces.size()][];
    wordCounts = new long[words.length];
    int w = 0;
    for (Map.Entry<String, Long> piece : pieces.entrySet()) {
      byte[] utf8 = piece.getKey().getBytes(StandardCharsets.UTF_8);
      words[w] = new int[utf8.length];
      for (int i = 0; i < utf8.length; i++) {
        words[w][i] = byteIds[utf8[i] & 0xFF];
      }
      wordCounts[w] = piece.getValue();
      count(w, 1);
      for (int i = 0; i + 1 < words[w].length; i++) {
        remember(pair(words[w][i], words[w][i + 1]), w);
      }
      w++;
    }
    pairCounts.long2LongEntrySet().forEach(e -> offer(e.getLongKey()));
  }

  /** First sides of the merges by rank. */
  List<String> left() {
    return left;
  }

  /** Second sides of the merges by rank. */
  List<String> right() {
    return right;
  }

  /** Merges until there are {@code size} tokens or no pair is seen {@code minFrequency} times. */
  void run(int size, long minFrequency) {
    while (tokens.size() < size && !queue.isEmpty()) {
      Candidate top = queue.poll();
      long count = pairCounts.get(top.pair);
      if (count != top.count) {
        offer(top.pair);
      } else if (count < minFrequency) {
        return;
      } else {
        merge(top.pair);
      }
    }
  }

  private void merge(long pair) {
    int token = merged.get(pair);
    if (token < 0) {
      token = newToken(pair);
    }
    LongOpenHashSet changed = new LongOpenHashSet();
    IntArrayList where = wordsOfPair.remove(pair);
    for (int k = 0; k < where.size(); k++) {
      int w = where.getInt(k);
      int[] joined = join(words[w], pair, token);
      if (joined.length == words[w].length) {
        continue;
      }
      count(w, -1);
      words[w] = joined;
      count(w, 1);
      for (int i = 0; i + 1 < joined.length; i++) {
        if (joined[i] == token || joined[i + 1] == token) {
          long neighbours = pair(joined[i], joined[i + 1]);
          remember(neighbours, w);
          changed.add(neighbours);
        }
      }
    }
    changed.forEach(this::offer);
  }

  /** The token of a pair; two pairs may spell the same one. */
  private int newToken(long pair) {
    String first = tokens.get((int) (pair >>> 32));
    String second = tokens.get((int) pair);
    int token = ids.getInt(first + second);
    if (token < 0) {
      token = tokens.size();
      tokens.add(first + second);
      ids.put(first + second, token);
    }
    left.add(first);
    right.add(second);
    merged.put(pair, token);
    return token;
  }

  private static int[] join(int[] word, long pair, int token) {
    int[] joined = new int[word.length];
    int n = 0;
    for (int i = 0; i < word.length; i++) {
      boolean match = i + 1 < word.length && pair(word[i], word[i + 1]) == pair;
      joined[n++] = match ? token : word[i];
      i += match ? 1 : 0;
    }
    return n == word.length ? word : Arrays.copyOf(joined, n);
  }

  /** Adds the pairs of a word to the counts, or takes them off. */
  private void count(int w, int sign) {
    int[] word = words[w];
    for (int i = 0; i + 1 < word.length; i++) {
      long pair = pair(word[i], word[i + 1]);
      if (pairCounts.addTo(pair, sign * wordCounts[w]) + sign * wordCounts[w] == 0) {
        pairCounts.remove(pair);
      }
    }
  }

  private void remember(long pair, int w) {
    IntArrayList list = wordsOfPair.computeIfAbsent(pair, p -> new IntArrayList());
    if (list.isEmpty() || list.getInt(list.size() - 1) != w) {
      list.add(w);
    }
  }

  private void offer(long pair) {
    long count = pairCounts.get(pair);
    if (count > 0) {
      queue.add(new Candidate(count, pair));
    }
  }

  private static long pair(int left, int right) {
    return (long) left << 32 | right;
  }
}
