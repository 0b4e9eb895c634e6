package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.cost.CostJson;
import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.cost.Payoffs;
import dev.sortie.eetuning.cost.RowTimes;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** A cost table and what follows from it, for people and as JSON. */
public final class CostView {
  private CostView() {}

  public static void print(CostTable t, Payoffs p, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "cost of decoding, ms, after %d tokens; full depth: %.3f per token, %.0f tokens/s%n",
        t.position(),
        1e3 * t.fullDepth(t.position()),
        1 / t.fullDepth(t.position()));
    out.printf(
        Locale.ROOT,
        "  %6s %11s %9s %11s %9s%n",
        "tokens",
        "one layer",
        "head",
        "whole pass",
        "ratio");
    for (int rows : t.layer().seconds().keySet()) {
      double pass = t.pass(rows, t.position());
      out.printf(
          Locale.ROOT,
          "  %6d %11.4f %9.3f %11.3f %9.2f%n",
          rows,
          1e3 * t.layer().at(rows),
          1e3 * t.head().at(rows),
          1e3 * pass,
          pass / t.fullDepth(t.position()));
    }
    out.printf(
        Locale.ROOT,
        "  every 1,000 tokens more in the cache: %.3f per token and layer; in addition to layers and head: %.3f per pass%n",
        1e6 * t.attention().at(1),
        1e3 * t.token());
    printExits(p, out);
    printDrafts(p, out);
  }

  private static void printExits(Payoffs p, PrintStream out) {
    if (!p.exits().isEmpty()) {
      out.printf(
          Locale.ROOT,
          "  %4s %9s %14s %16s  %s%n",
          "exit",
          "evaluate",
          "token to here",
          "best speed-up",
          "faster than full depth if");
      for (Payoffs.ExitPayoff e : p.exits()) {
        out.printf(
            Locale.ROOT,
            "  %4d %9.3f %14.3f %15.2fx  %s%n",
            e.depth(),
            1e3 * e.ask(),
            1e3 * e.until(),
            e.bestSpeedup(),
            e.breakEven().isPresent()
                ? percent(e.breakEven().getAsDouble()) + " of the tokens leave there"
                : "never: inactive by default");
      }
    }
  }

  private static void printDrafts(Payoffs p, PrintStream out) {
    for (Payoffs.DraftPayoff d : p.drafts()) {
      StringBuilder line =
          new StringBuilder(
              String.format(
                  Locale.ROOT, "  drafts of %d: a pass takes %.3f; ", d.length(), 1e3 * d.pass()));
      if (d.free().isEmpty()) {
        line.append("no draft pays, not even one that costs nothing");
      } else {
        line.append("a draft that costs nothing pays if each token is accepted with probability ")
            .append(percent(d.free().getAsDouble()));
        d.byExit()
            .forEach(
                (depth, probability) ->
                    line.append("; one of exit ")
                        .append(depth)
                        .append(
                            probability.isPresent()
                                ? " with " + percent(probability.getAsDouble())
                                : " never"));
      }
      out.println(line);
    }
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  public static Map<String, Object> json(CostTable t, Payoffs p) {
    Map<String, Object> root = new LinkedHashMap<>(CostJson.of(t));
    RowTimes layer = t.layer();
    Map<String, Object> passes = new LinkedHashMap<>();
    layer.seconds().keySet().forEach(m -> passes.put(m.toString(), t.pass(m, t.position())));
    root.put("pass", passes);
    List<Map<String, Object>> exits = new ArrayList<>();
    for (Payoffs.ExitPayoff e : p.exits()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("depth", e.depth());
      one.put("ask", e.ask());
      one.put("until", e.until());
      one.put("best_speedup", e.bestSpeedup());
      one.put("break_even_share", orNull(e.breakEven()));
      exits.add(one);
    }
    root.put("exit_payoffs", exits);
    List<Map<String, Object>> drafts = new ArrayList<>();
    for (Payoffs.DraftPayoff d : p.drafts()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("length", d.length());
      one.put("pass", d.pass());
      one.put("break_even_acceptance", orNull(d.free()));
      Map<String, Object> byExit = new LinkedHashMap<>();
      d.byExit().forEach((depth, probability) -> byExit.put(depth.toString(), orNull(probability)));
      one.put("break_even_acceptance_by_exit", byExit);
      drafts.add(one);
    }
    root.put("draft_payoffs", drafts);
    return root;
  }

  private static Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
