package dev.sortie.eetuning.cost;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * Which exits are asked while decoding.
 *
 * @param exits those that are
 * @param remarks why others are not, a sentence each
 */
public record ActiveExits(Exits exits, List<String> remarks) {
  public ActiveExits {
    remarks = List.copyOf(remarks);
  }

  /**
   * The exits that can pay by {@code table}: each alone, were every token to leave there that may,
   * would decode faster than full depth.
   */
  public static ActiveExits thatPay(Exits exits, CostTable table, int maxPending) {
    List<Exit> kept = new ArrayList<>();
    List<String> remarks = new ArrayList<>();
    for (Exit e : exits.exits()) {
      OptionalDouble share = EarlyExitCost.breakEven(table, e.depth(), maxPending);
      if (share.isPresent()) {
        kept.add(e);
      } else {
        remarks.add(
            String.format(
                Locale.ROOT,
                "exit %d is left out: evaluating it takes %.2f ms of the %.2f ms of a token, so even if every token left there, decoding would be %.2f times as fast as full depth",
                e.depth(),
                1e3 * table.exit(e.depth()).each(),
                1e3 * table.fullDepth(table.position()),
                EarlyExitCost.bestSpeedup(table, e.depth(), maxPending)));
      }
    }
    return new ActiveExits(of(exits, kept), remarks);
  }

  /** The exits at {@code depths}, each of which must be there. */
  public static Exits at(Exits exits, List<Integer> depths) {
    Exits.requireAll(exits.depths(), depths);
    return of(exits, exits.exits().stream().filter(e -> depths.contains(e.depth())).toList());
  }

  private static Exits of(Exits exits, List<Exit> kept) {
    return exits.with(kept);
  }
}
