package dev.sortie.eetuning.cost;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SequencedMap;

/**
 * Which exits and which lengths of drafts can pay on a machine.
 *
 * @param exits one for each exit, shallow first
 * @param drafts one for each length of drafts
 */
public record Payoffs(List<ExitPayoff> exits, List<DraftPayoff> drafts) {
  /** Lengths of drafts that are looked at: with the token before them they fill measured passes. */
  private static final List<Integer> LENGTHS = List.of(1, 3, 7, 15);

  /**
   * One exit, asked alone.
   *
   * @param depth where it stands
   * @param ask seconds to ask it
   * @param until seconds of a token that leaves there, its deeper layers not counted
   * @param bestSpeedup over full depth, if every token leaves that may
   * @param breakEven share of tokens that must leave there to be faster than full depth; empty if
   *     none is enough
   */
  public record ExitPayoff(
      int depth, double ask, double until, double bestSpeedup, OptionalDouble breakEven) {}

  /**
   * Drafts of one length.
   *
   * @param length drafted tokens
   * @param pass seconds of the pass that checks them
   * @param free probability of being right that each draft must have where drafts cost nothing;
   *     empty if none is enough
   * @param byExit the same where an exit drafts, by its depth
   */
  public record DraftPayoff(
      int length, double pass, OptionalDouble free, SequencedMap<Integer, OptionalDouble> byExit) {}

  /** What {@code table} says. */
  public static Payoffs of(CostTable table, int maxPending) {
    List<ExitPayoff> exits = new ArrayList<>();
    for (ExitCost e : table.exits()) {
      exits.add(
          new ExitPayoff(
              e.depth(),
              e.each(),
              table.until(e, List.of(e.depth()), table.position()),
              EarlyExitCost.bestSpeedup(table, e.depth(), maxPending),
              EarlyExitCost.breakEven(table, e.depth(), maxPending)));
    }
    int most = table.layer().seconds().lastKey() - 1;
    DraftCost free = DraftCost.of(table, 0);
    List<DraftPayoff> drafts = new ArrayList<>();
    for (int length : LENGTHS) {
      if (length <= most) {
        SequencedMap<Integer, OptionalDouble> byExit = new LinkedHashMap<>();
        for (int depth : table.depths().stream().filter(d -> d < table.layers()).toList()) {
          byExit.put(depth, DraftCost.byExit(table, depth).breakEven(length));
        }
        drafts.add(
            new DraftPayoff(
                length, free.pass(length, table.position()), free.breakEven(length), byExit));
      }
    }
    return new Payoffs(List.copyOf(exits), List.copyOf(drafts));
  }
}
