package dev.sortie.eetuning.cost;

import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.speculative.EarlyExitDraft;
import java.util.List;

/**
 * Time of {@link dev.sortie.eetuning.decode.speculative.Speculative} with any of its sources: the
 * work of its passes repeated on the table.
 *
 * @param table measured costs
 * @param depth of the exit that drafts; 0 where none does
 */
public record SpeculationCost(CostTable table, int depth) {
  public SpeculationCost {
    if (depth != 0) {
      table.exit(depth);
    }
  }

  /** Seconds of these passes over one text, in order. */
  public double seconds(List<SpeculationReport.Pass> trace) {
    double seconds = 0;
    int exitDone = trace.isEmpty() ? 0 : trace.getFirst().position();
    int aheadDone = exitDone;
    for (SpeculationReport.Pass p : trace) {
      int rows = p.drafted() + 1;
      int ran = 0;
      if (p.source().equals(EarlyExitDraft.NAME)) {
        // an exit that gives fewer than it was asked for has looked at one token more
        ran = Math.min(p.asked(), rows);
        seconds += byExit(p, ran, exitDone);
        exitDone = p.position() + Math.min(ran, p.accepted() + 1);
      }
      if (p.looks() > 0) {
        seconds += ahead(p, aheadDone);
        aheadDone = p.position();
      }
      seconds += verification(p, rows, ran);
    }
    return seconds;
  }

  /** Tokens go one by one to the exit, whose own layer first sees those that came without it. */
  private double byExit(SpeculationReport.Pass p, int looks, int done) {
    ExitCost e = table.exit(depth);
    double missed = e.layerSeconds(p.position() + 1 - done) - e.layerSeconds(1);
    return missed + looks * (table.layers(depth, 1, p.position()) + e.each());
  }

  private double ahead(SpeculationReport.Pass p, int done) {
    LookaheadCost c =
        table
            .lookahead()
            .orElseThrow(
                () -> new IllegalArgumentException("no lookahead exit was measured in this table"));
    int states = Math.max(1, p.position() - done);
    return c.catchUp().at(states) + c.check() + (p.looks() - 1) * c.again();
  }

  /** Of {@code rows} tokens {@code ran} have passed the lower layers already. */
  private double verification(SpeculationReport.Pass p, int rows, int ran) {
    int lower = ran == 0 ? 0 : depth;
    double rest = ran > 0 && ran < rows ? table.layers(lower, rows - ran, p.position()) : 0;
    return table.token()
        + rest
        + table.layers(table.layers() - lower, rows, p.position())
        + table.head().at(rows);
  }
}
