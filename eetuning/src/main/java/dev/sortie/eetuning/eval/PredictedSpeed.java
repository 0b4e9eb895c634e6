package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.cost.EarlyExitCost;
import dev.sortie.eetuning.cost.SpeculationCost;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.single.EarlyExit;

/**
 * What the cost model says of a generation that has been: from where each token left, and from what
 * was drafted.
 *
 * @param table measured costs
 */
public record PredictedSpeed(CostTable table) {

  /** Seconds for the tokens after the first, as {@code variant} decoded them. */
  public double seconds(DecodingVariant variant, PairedRuns.Decoded decoded) {
    if (variant.checked().isEmpty() && !decoded.speculation().trace().isEmpty()) {
      return new SpeculationCost(table, variant.draftDepth())
          .seconds(decoded.speculation().trace());
    }
    int[] exits =
        decoded.generation().tokens().stream()
            .skip(1)
            .map(GeneratedToken::exit)
            .mapToInt(e -> e.orElse(0))
            .toArray();
    int first = decoded.generation().promptIds().length;
    return new EarlyExitCost(table, variant.checked(), EarlyExit.MAX_PENDING, variant.rests())
        .seconds(first, exits, rows(decoded.speculation(), first, exits.length));
  }

  private static int[] rows(SpeculationReport report, int first, int tokens) {
    if (report.passes() == 0) {
      return EarlyExitCost.alone(tokens);
    }
    int[] rows = new int[tokens];
    report.trace().forEach(p -> rows[p.position() - first] = p.drafted() + 1);
    return rows;
  }
}
