package dev.sortie.eetuning.cost;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Cost tables with round numbers. */
final class Tables {
  private Tables() {}

  static RowTimes times(Map<Integer, Double> seconds) {
    return new RowTimes(new TreeMap<>(seconds));
  }

  /** Ten layers of 1, a head of 4, rows at a tenth of the first; exits as given. */
  static CostTable of(ExitCost... exits) {
    return new CostTable(
        10,
        64,
        times(Map.of(1, 1.0, 2, 1.1, 16, 2.5)),
        RowTimes.constant(0),
        times(Map.of(1, 4.0, 16, 19.0)),
        0,
        List.of(exits));
  }

  /** The same with a lookahead exit: a layer of 1, a head of 2, 1.5 for each token more. */
  static CostTable withLookahead(ExitCost... exits) {
    CostTable t = of(exits);
    return new CostTable(
        t.layers(),
        t.position(),
        t.layer(),
        t.attention(),
        t.head(),
        t.token(),
        t.exits(),
        Optional.of(new LookaheadCost(t.layer(), 2, 1.5)));
  }

  static ExitCost norm(int depth, double check) {
    return new ExitCost(depth, Optional.empty(), check);
  }

  static ExitCost layer(int depth, double check) {
    return new ExitCost(depth, Optional.of(times(Map.of(1, 1.0, 2, 1.1, 16, 2.5))), check);
  }
}
