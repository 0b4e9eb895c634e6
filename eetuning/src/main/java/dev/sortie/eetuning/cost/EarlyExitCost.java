package dev.sortie.eetuning.cost;

import dev.sortie.eetuning.decode.policy.ExitSchedule;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Time of early-exit decoding with deferred completion, as {@link EarlyExit} does it.
 *
 * @param table measured costs
 * @param active depths of the exits that are asked, ascending
 * @param maxPending deficit tokens at most
 * @param rests whether exits that are not taken for long are asked less often; see {@link
 *     ExitSchedule}
 */
public record EarlyExitCost(CostTable table, List<Integer> active, int maxPending, boolean rests) {
  private static final int SHARES = 1000;

  public EarlyExitCost {
    active = active.stream().sorted().toList();
    active.forEach(table::exit);
    if (maxPending < 0 || maxPending > EarlyExit.MAX_PENDING) {
      throw new IllegalArgumentException(
          "pending tokens " + maxPending + " are outside 0 to " + EarlyExit.MAX_PENDING);
    }
  }

  /**
   * Seconds to decode these tokens one after another.
   *
   * @param first position of the first of them; all before it are complete
   * @param exits depth at which each left; 0 for the final layer
   */
  public double seconds(int first, int[] exits) {
    return seconds(first, exits, alone(exits.length));
  }

  /** Passes over {@code tokens} tokens, one each. */
  public static int[] alone(int tokens) {
    int[] rows = new int[tokens];
    Arrays.fill(rows, 1);
    return rows;
  }

  /**
   * Seconds to decode these tokens with drafts.
   *
   * @param first position of the first of them; all before it are complete
   * @param exits depth at which each left; 0 for the final layer
   * @param rows tokens read by the pass that begins at each token; 0 where the pass before has read
   *     it
   */
  public double seconds(int first, int[] exits, int[] rows) {
    ExitReplay replay = new ExitReplay(this, first);
    double seconds = 0;
    for (int i = 0; i < exits.length; i++) {
      int right = i + 1;
      while (right < exits.length && rows[right] == 0) {
        right++;
      }
      seconds += replay.token(first + i, Arrays.copyOfRange(exits, i, right), rows[i]);
    }
    return seconds;
  }

  /**
   * Seconds of a token on average when this exit alone is asked, about every token, and a share of
   * the tokens leaves there, each independently. Tokens come in cycles: k leave, and the next takes
   * their deeper layers along; k is geometric, cut at {@code maxPending}, where no exit is asked
   * and its own layer waits for the token after. A token that leaves behind the last layer has no
   * deeper ones, so each is asked about.
   */
  static double atShare(CostTable t, int depth, double share, int maxPending) {
    ExitCost e = t.exit(depth);
    int p = t.position();
    double each = t.token() + t.layers(depth, 1, p);
    if (depth == t.layers()) {
      return each + e.each() + (1 - share) * t.head().at(1);
    }
    double waited =
        maxPending == 0 ? e.fillSeconds(Kernels.ROW_STABLE) / Kernels.ROW_STABLE : e.fillSeconds(1);
    double time = 0;
    double tokens = 0;
    for (int k = 0; k <= maxPending; k++) {
      double probability = Math.pow(share, k) * (k == maxPending ? 1 : 1 - share);
      double checks = k == maxPending ? k * e.each() + waited : (k + 1) * e.each();
      double deep = t.layers(t.layers() - depth, k + 1, p) + t.head().at(1);
      time += probability * ((k + 1) * each + checks + deep);
      tokens += probability * (k + 1);
    }
    return time / tokens;
  }

  /**
   * How many times as fast as full depth decoding is at most, with this exit alone and every token
   * leaving there that may.
   */
  public static double bestSpeedup(CostTable t, int depth, int maxPending) {
    return t.fullDepth(t.position()) / atShare(t, depth, 1, maxPending);
  }

  /**
   * The smallest share of tokens that must leave at this exit, asked alone, for decoding to be
   * faster than at full depth; empty if no share is enough.
   */
  public static OptionalDouble breakEven(CostTable t, int depth, int maxPending) {
    double full = t.fullDepth(t.position());
    for (int i = 1; i <= SHARES; i++) {
      double share = (double) i / SHARES;
      if (atShare(t, depth, share, maxPending) < full) {
        return OptionalDouble.of(share);
      }
    }
    return OptionalDouble.empty();
  }
}
