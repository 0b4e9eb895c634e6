package dev.sortie.eetuning.cost;

import java.util.OptionalDouble;

/**
 * Whether drafts of one length pay: k drafted tokens are verified in one full pass over k + 1 rows.
 * For the time of texts that were decoded with drafts, see {@link SpeculationCost}.
 *
 * @param table measured costs
 * @param draft seconds to draft one token; 0 for prompt look-up
 * @param from layers that drafted tokens have passed one by one already, so that their check begins
 *     above; 0 where drafts do not come from an exit
 */
public record DraftCost(CostTable table, double draft, int from) {
  private static final int HALVINGS = 40;

  public DraftCost {
    if (!(draft >= 0 && Double.isFinite(draft))) {
      throw new IllegalArgumentException("a draft takes " + draft + " seconds, expected 0 or more");
    }
    if (from < 0 || from >= table.layers()) {
      throw new IllegalArgumentException(
          from + " layers passed by drafts, expected 0 to " + (table.layers() - 1));
    }
  }

  /** Drafts that cost {@code draft} seconds each; 0 for prompt look-up. */
  public static DraftCost of(CostTable table, double draft) {
    return new DraftCost(table, draft, 0);
  }

  /** Drafts of the exit after layer {@code depth}. */
  public static DraftCost byExit(CostTable t, int depth) {
    double draft = t.token() + t.layers(depth, 1, t.position()) + t.exit(depth).each();
    return new DraftCost(t, draft, depth);
  }

  /** Seconds of one pass that checks {@code drafted} tokens after the one at {@code position}. */
  public double pass(int drafted, int position) {
    int rows = drafted + 1;
    // the last draft has been predicted, not read: the lower layers see it alone
    double read = from == 0 ? 0 : table.layers(from, 1, position);
    return drafted * draft
        + table.token()
        + read
        + table.layers(table.layers() - from, rows, position)
        + table.head().at(rows);
  }

  /**
   * Tokens that a pass yields on average when each draft is right with probability {@code
   * acceptance}, as long as all before it were: {@code 1 + a + … + a^k}.
   */
  public static double tokens(int drafted, double acceptance) {
    double sum = 0;
    double power = 1;
    for (int i = 0; i <= drafted; i++) {
      sum += power;
      power *= acceptance;
    }
    return sum;
  }

  /** Speed over full depth at this probability for each draft. */
  public double speedup(int drafted, double acceptance) {
    int p = table.position();
    return tokens(drafted, acceptance) * table.fullDepth(p) / pass(drafted, p);
  }

  /**
   * The probability of being right that each draft must have for drafts of this length to pay;
   * empty if even certain drafts do not.
   */
  public OptionalDouble breakEven(int drafted) {
    if (speedup(drafted, 1) <= 1) {
      return OptionalDouble.empty();
    }
    double low = 0;
    double high = 1;
    for (int i = 0; i < HALVINGS; i++) {
      double middle = (low + high) / 2;
      if (speedup(drafted, middle) > 1) {
        high = middle;
      } else {
        low = middle;
      }
    }
    return OptionalDouble.of(high);
  }
}
