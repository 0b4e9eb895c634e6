package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.eval.EvalResults;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.report.SpeedText;
import java.io.PrintStream;
import java.util.Locale;

/** An evaluation's results in a terminal. */
public final class EvalView {
  private EvalView() {}

  public static void print(EvalResults r, PrintStream out) {
    printText(r, out);
    r.oracle().ifPresent(o -> OracleView.print(o, r.sets(), out));
    printChoices(r, out);
    printSettings(r, out);
  }

  private static void printText(EvalResults r, PrintStream out) {
    r.text()
        .ifPresent(
            t -> {
              out.printf(
                  Locale.ROOT,
                  "text, %d tokens%n%8s %10s %12s %10s%n",
                  t.tokens(),
                  "exit",
                  "nll",
                  "perplexity",
                  "agreement");
              t.heads()
                  .forEach(
                      (head, s) ->
                          out.printf(
                              Locale.ROOT,
                              "%8s %10s %12s %10s%n",
                              head,
                              NumberText.ungrouped(s.nll(), 4),
                              NumberText.ungrouped(s.perplexity(), 3),
                              NumberText.ungrouped(s.agreement(), 4)));
            });
  }

  private static void printChoices(EvalResults r, PrintStream out) {
    r.choices()
        .forEach(
            (task, heads) -> {
              out.printf(
                  "%s%n%8s %10s %10s %10s%n",
                  SafeText.visibleLine(task), "exit", "acc", "acc_norm", "acc_bytes");
              heads.forEach(
                  (head, a) ->
                      out.printf(
                          Locale.ROOT,
                          "%8s %10.4f %10.4f %10.4f%n",
                          head,
                          a.acc(),
                          a.accNorm(),
                          a.accBytes()));
            });
  }

  private static void printSettings(EvalResults r, PrintStream out) {
    if (!r.settings().isEmpty()) {
      out.printf(
          "%s%n%-24s %9s %10s %10s %9s %-15s %9s%n",
          SpeedText.error(r.error()),
          "strategy",
          "threshold",
          "tokens/s",
          "predicted",
          "speed-up",
          "verdict",
          "agreement");
    }
    for (EvalResults.Setting s : r.settings()) {
      SweepPoint p = s.point();
      out.printf(
          Locale.ROOT,
          "%-24s %9s %10.1f %10.1f %8.2fx %-15s %9.4f%n",
          p.strategy(),
          p.activeExits().isEmpty() ? "-" : String.format(Locale.ROOT, "%.4g", p.threshold()),
          p.decodeTokensPerSecond(),
          s.predicted(),
          p.speedup(),
          SpeedText.verdict(p, r.error()),
          p.agreement());
      s.tasks()
          .forEach(
              (task, m) ->
                  out.printf(
                      Locale.ROOT,
                      "    %s: exact match %.4f, F1 %.4f, ROUGE-L %.4f%n",
                      SafeText.visibleLine(task),
                      m.exactMatch(),
                      m.f1(),
                      m.rougeL()));
    }
  }
}
