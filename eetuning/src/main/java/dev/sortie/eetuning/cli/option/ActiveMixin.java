package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cost.ActiveExits;
import dev.sortie.eetuning.cost.CostCache;
import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Which of the exits given are asked. */
public final class ActiveMixin {
  private static final String ALL = "all";

  @Option(
      names = "--active",
      paramLabel = "DEPTHS",
      description =
          "Exits to evaluate, by depth, such as 8,16, or all. A depth equal to the "
              + "number of layers is a draft head after the last layer, which is "
              + "evaluated before the full head. Default: the exits that the cost model "
              + "expects to pay off; it is measured once per model and machine (see "
              + "doctor --model).")
  private String active;

  /** Whether the user chose. */
  public boolean isGiven() {
    return active != null;
  }

  /** Those to evaluate; prints to standard error which were left out and why. */
  public Exits choose(Exits all, LanguageModel m, int maxPending, Device device) {
    if (ALL.equals(active)) {
      return all;
    }
    if (active != null) {
      return ActiveExits.at(all, depths());
    }
    CostTable table = table(m, all, device);
    ActiveExits chosen = ActiveExits.thatPay(all, table, maxPending);
    chosen.remarks().forEach(r -> System.err.println(r + "; --active all evaluates it anyway"));
    return chosen.exits();
  }

  /**
   * Those to ask where ranks must agree: all, unless the user chose, for what is measured differs
   * from rank to rank.
   */
  List<ExitOutline> choose(List<ExitOutline> all) {
    List<ExitOutline> exits = all.stream().filter(e -> !e.isLookahead()).toList();
    if (active == null || ALL.equals(active)) {
      return exits;
    }
    List<Integer> there = exits.stream().map(ExitOutline::depth).toList();
    List<Integer> asked = depths();
    Exits.requireAll(there, asked);
    return exits.stream().filter(e -> asked.contains(e.depth())).toList();
  }

  /** What decoding costs here, measured now if it is not known. */
  public static CostTable table(LanguageModel m, Exits all, Device device) {
    CostCache costs = new CostCache();
    return costs
        .known(m.decoder(), all, device)
        .orElseGet(
            () -> {
              System.err.println(
                  "measuring once what decoding costs on this machine, to see which exits can pay");
              return costs.measure(m.decoder(), all, device);
            });
  }

  private List<Integer> depths() {
    List<Integer> depths = new ArrayList<>();
    for (String word : active.split(",", -1)) {
      if (!word.strip().matches("[1-9][0-9]{0,5}")) {
        throw new UsageException(
            "--active '" + active + "' is not a list of depths such as 8,16, nor the word all");
      }
      depths.add(Integer.valueOf(word.strip()));
    }
    return depths;
  }
}
