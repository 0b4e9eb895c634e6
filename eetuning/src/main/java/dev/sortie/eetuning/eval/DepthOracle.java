package dev.sortie.eetuning.eval;

import dev.sortie.nn.text.Tokenizer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * The least depth that each token of a text needs, as an oracle knows it: that of the shallowest
 * exit whose most likely token is full depth's (Alizadeh et al. 2024, "Duo-LLM", arXiv 2410.10846,
 * the oracle over exits). Next to it stands what thresholds do, which know confidences only. The
 * difference is what a better rule could still save with the same exits.
 *
 * @param layers backbone layers
 * @param tokenizer of the model
 */
public record DepthOracle(int layers, Tokenizer tokenizer) {
  /** Agreement with full depth that thresholds are chosen for. */
  public static final double AGREEMENT = 0.95;

  /**
   * Some of a text's tokens.
   *
   * @param tokens their number
   * @param needed share of them by the key of the exit that they need
   * @param taken share of them by the key of the exit at which thresholds let them leave
   * @param neededDepth mean layers that they need
   * @param takenDepth mean layers that thresholds take
   * @param agreement share for which the exit taken chooses full depth's token
   */
  public record Part(
      long tokens,
      SequencedMap<String, Double> needed,
      SequencedMap<String, Double> taken,
      double neededDepth,
      double takenDepth,
      double agreement) {}

  /**
   * What was found.
   *
   * @param thresholds by depth
   * @param all all tokens
   * @param kinds those of each kind that there are, by the token that full depth chooses
   */
  public record Result(
      SequencedMap<Integer, Double> thresholds, Part all, SequencedMap<TokenKind, Part> kinds) {}

  /** Counts of one part. */
  private final class Counts {
    private final List<Integer> depths;
    private final long[] needed;
    private final long[] taken;
    private long agreed;
    private long tokens;

    Counts(List<Integer> depths) {
      this.depths = depths;
      this.needed = new long[depths.size() + 1];
      this.taken = new long[depths.size() + 1];
    }

    void add(int need, int take, boolean agrees) {
      needed[need]++;
      taken[take]++;
      agreed += agrees ? 1 : 0;
      tokens++;
    }

    Part part() {
      return new Part(
          tokens,
          shares(needed),
          shares(taken),
          mean(needed),
          mean(taken),
          (double) agreed / tokens);
    }

    private SequencedMap<String, Double> shares(long[] counts) {
      SequencedMap<String, Double> shares = new LinkedHashMap<>();
      for (int e = 0; e < counts.length; e++) {
        String key = e < depths.size() ? String.valueOf(depths.get(e)) : ExitKeys.FINAL;
        shares.put(key, (double) counts[e] / tokens);
      }
      return Collections.unmodifiableSequencedMap(shares);
    }

    private double mean(long[] counts) {
      double sum = 0;
      for (int e = 0; e < counts.length; e++) {
        sum += counts[e] * (double) (e < depths.size() ? depths.get(e) : layers);
      }
      return sum / tokens;
    }
  }

  /**
   * Compares with the lowest single threshold for all exits that keeps {@link #AGREEMENT} on these
   * texts; 1, where nothing leaves, if none does.
   *
   * @param readings of the same exits, at least one
   */
  public Result against(List<TokenReadings> readings) {
    List<Integer> depths = readings.getFirst().depths();
    SequencedMap<Integer, Double> best = same(depths, 1);
    for (int percent = 99; percent >= 0; percent--) {
      SequencedMap<Integer, Double> lower = same(depths, percent / 100.0);
      if (agreement(readings, lower) < AGREEMENT) {
        break;
      }
      best = lower;
    }
    return against(readings, best);
  }

  private static double agreement(
      List<TokenReadings> readings, SequencedMap<Integer, Double> thresholds) {
    long agreed = 0;
    long tokens = 0;
    for (TokenReadings r : readings) {
      for (int i = 0; i < r.tokens(); i++) {
        agreed += agrees(r, taken(r, i, thresholds), i) ? 1 : 0;
        tokens++;
      }
    }
    return (double) agreed / tokens;
  }

  private static SequencedMap<Integer, Double> same(List<Integer> depths, double threshold) {
    SequencedMap<Integer, Double> all = new TreeMap<>();
    depths.forEach(d -> all.put(d, threshold));
    return all;
  }

  /**
   * Compares with thresholds.
   *
   * @param readings of the same exits, at least one
   * @param thresholds by depth; an exit without one is not taken, nor is one with 1
   */
  public Result against(List<TokenReadings> readings, SequencedMap<Integer, Double> thresholds) {
    List<Integer> depths = readings.getFirst().depths();
    Counts all = new Counts(depths);
    SequencedMap<TokenKind, Counts> kinds = new TreeMap<>();
    for (TokenReadings r : readings) {
      for (int i = 0; i < r.tokens(); i++) {
        int need = need(r, i);
        int take = taken(r, i, thresholds);
        boolean agrees = agrees(r, take, i);
        all.add(need, take, agrees);
        kinds.computeIfAbsent(kind(r, i), _ -> new Counts(depths)).add(need, take, agrees);
      }
    }
    SequencedMap<TokenKind, Part> parts = new TreeMap<>();
    kinds.forEach((kind, counts) -> parts.put(kind, counts.part()));
    return new Result(
        Collections.unmodifiableSequencedMap(new TreeMap<>(thresholds)), all.part(), parts);
  }

  /** The kind of the token that full depth chooses. */
  TokenKind kind(TokenReadings r, int token) {
    return TokenKind.of(tokenizer, r.text()[r.given() + token - 1], r.last().choices()[token]);
  }

  /** The layers that each token needs. */
  int[] needed(TokenReadings r) {
    int[] needed = new int[r.tokens()];
    for (int i = 0; i < needed.length; i++) {
      int exit = need(r, i);
      needed[i] = exit < r.depths().size() ? r.depths().get(exit) : layers;
    }
    return needed;
  }

  /** The shallowest exit that chooses full depth's token, or the number of exits. */
  private static int need(TokenReadings r, int token) {
    int exit = 0;
    while (!agrees(r, exit, token)) {
      exit++;
    }
    return exit;
  }

  /** Whether an exit chooses full depth's token; after the last exit is full depth itself. */
  private static boolean agrees(TokenReadings r, int exit, int token) {
    return exit == r.exits().size()
        || r.exits().get(exit).choices()[token] == r.last().choices()[token];
  }

  /** The exit that a token takes, or the number of exits. */
  private static int taken(TokenReadings r, int token, SequencedMap<Integer, Double> thresholds) {
    int exit = 0;
    while (exit < r.exits().size() && !leaves(r, exit, token, thresholds)) {
      exit++;
    }
    return exit;
  }

  private static boolean leaves(
      TokenReadings r, int exit, int token, SequencedMap<Integer, Double> thresholds) {
    double threshold = thresholds.getOrDefault(r.depths().get(exit), 1.0);
    return threshold < 1 && r.exits().get(exit).confidences()[token] >= threshold;
  }
}
