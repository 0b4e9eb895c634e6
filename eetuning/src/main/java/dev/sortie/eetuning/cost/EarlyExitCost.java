package dev.sortie.eetuning.cost;

import dev.sortie.eetuning.decode.policy.Pace;
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
 * @param rests whether exits that are not taken for long are asked less often; see {@link Pace}
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
   * Seconds to decode these tokens one after another, the work of {@link EarlyExit} repeated on the
   * table: layers of a segment run over all tokens that lack them.
   *
   * @param first position of the first of them; all before it are complete
   * @param exits depth at which each left; 0 for the final layer
   */
  public double seconds(int first, int[] exits) {
    int segments = active.size() + 1;
    int[] done = new int[segments];
    int[] exitDone = new int[active.size()];
    Arrays.fill(done, first);
    Arrays.fill(exitDone, first);
    List<ExitCost> costs = active.stream().map(table::exit).toList();
    Pace pace = new Pace(active.size(), rests);
    double seconds = 0;
    for (int i = 0; i < exits.length; i++) {
      seconds += token(first + i, exits[i], costs, done, exitDone, pace);
      pace.left(exits[i] == 0 ? active.size() : active.indexOf(exits[i]));
    }
    return seconds;
  }

  private double token(
      int position, int exit, List<ExitCost> costs, int[] done, int[] exitDone, Pace pace) {
    int end = position + 1;
    double seconds = table.token();
    int from = 0;
    int deepest = deepestSegment();
    for (int i = 0; i < active.size(); i++) {
      ExitCost e = costs.get(i);
      int rows = end - done[i];
      seconds += table.layers(e.depth() - from, rows, done[i]);
      done[i] = end;
      from = e.depth();
      boolean asked = position - done[deepest] < maxPending && pace.due(i);
      // an exit that is not asked lets its own layer wait, until a batch of stable rows is full
      int waiting = end - exitDone[i];
      if (asked || waiting >= Kernels.ROW_STABLE) {
        seconds += asked ? e.layerSeconds(waiting) + e.check() : e.fillSeconds(waiting);
        exitDone[i] = end;
      }
      if (exit == e.depth()) {
        return seconds;
      }
    }
    int last = active.size();
    seconds += table.layers(table.layers() - from, end - done[last], done[last]);
    done[last] = end;
    return seconds + table.head().at(1);
  }

  /** The last segment that has layers: an exit behind the last layer leaves none to the end. */
  private int deepestSegment() {
    boolean behindLast = !active.isEmpty() && active.getLast() == table.layers();
    return active.size() - (behindLast ? 1 : 0);
  }

  /**
   * Seconds of a token on average when this exit alone is asked, about every token, and a share of
   * the tokens leaves there, each by chance. Tokens come in cycles: k leave, and the next takes
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
      double chance = Math.pow(share, k) * (k == maxPending ? 1 : 1 - share);
      double checks = k == maxPending ? k * e.each() + waited : (k + 1) * e.each();
      double deep = t.layers(t.layers() - depth, k + 1, p) + t.head().at(1);
      time += chance * ((k + 1) * each + checks + deep);
      tokens += chance * (k + 1);
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
