package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.Technique;
import dev.sortie.eetuning.eval.report.SpeedText;
import java.io.PrintStream;
import java.util.Locale;
import java.util.stream.Collectors;

/** The demo's figures in a terminal. */
public final class DemoTable {
  private static final String ROW = "%-18s %-9s %9s %9s %9s  %-15s %9s %10s%n";

  private DemoTable() {}

  /** Every setting, then the best one of exits alone, of drafts alone and of both. */
  public static void print(DemoResults r, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "full depth: %.0f tokens/s (%d layers)%n%s%n%n",
        r.fullDepthTokensPerSecond(),
        r.layers(),
        SpeedText.error(r.error()));
    out.printf(
        ROW,
        "by",
        "exits",
        "threshold",
        "tokens/s",
        "speed-up",
        "verdict",
        "agreement",
        "mean depth");
    r.sweep().forEach(p -> row(p, r, out));
    out.printf(
        Locale.ROOT,
        "%nfastest with an agreement of at least %.2f, or else the one that agrees most:%n",
        DemoResults.HEADLINE_AGREEMENT);
    for (Technique technique : Technique.FASTER) {
      r.best(technique).ifPresent(p -> row(p, r, out));
    }
  }

  private static void row(SweepPoint p, DemoResults r, PrintStream out) {
    boolean exits = !p.activeExits().isEmpty();
    out.printf(
        Locale.ROOT,
        ROW,
        p.technique().label(),
        exits
            ? p.activeExits().stream().map(String::valueOf).collect(Collectors.joining(", "))
            : "-",
        exits ? NumberText.fixed(p.threshold(), 2) : "-",
        NumberText.fixed(p.decodeTokensPerSecond(), 0),
        NumberText.fixed(p.speedup(), 2) + "x",
        SpeedText.verdict(p, r.error()),
        NumberText.fixed(p.agreement(), 3),
        NumberText.fixed(p.meanDepth(), 1));
  }
}
