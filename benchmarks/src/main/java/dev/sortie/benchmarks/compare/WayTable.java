package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.eetuning.decode.SpeculationReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/** Sums over prompts: each way over full depth, which decoded the same prompts next to it. */
public final class WayTable {
  private WayTable() {}

  /**
   * A row for each way. Full depth is compared with itself: how far its ratio is from 1 shows what
   * the others' ratios may be off by.
   *
   * @param runs those of one temperature, by prompt
   */
  public static List<Map<String, Object>> rows(double temperature, List<List<WayRun>> runs) {
    SequencedMap<String, List<WayRun>> byWay = new LinkedHashMap<>();
    runs.forEach(
        prompt ->
            prompt.forEach(r -> byWay.computeIfAbsent(r.way(), w -> new ArrayList<>()).add(r)));
    List<Map<String, Object>> rows = new ArrayList<>();
    byWay.forEach((way, list) -> rows.add(row(temperature, way, list)));
    return rows;
  }

  private static double tokens(List<WayRun> runs) {
    return runs.stream().mapToInt(WayRun::tokens).sum();
  }

  private static double seconds(List<WayRun> runs) {
    return runs.stream().mapToDouble(WayRun::seconds).sum();
  }

  private static Map<String, Object> row(double temperature, String way, List<WayRun> runs) {
    double tokens = tokens(runs);
    double full = runs.stream().mapToDouble(WayRun::fullSeconds).sum();
    double predicted = runs.stream().mapToDouble(WayRun::predicted).sum();
    int passes = runs.stream().mapToInt(WayRun::passes).sum();
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("case", way + (temperature == 0 ? ", greedy" : ", temperature " + temperature));
    row.put("prompts", runs.size());
    row.put("ours", Figure.rounded(tokens / seconds(runs)));
    row.put("peer", Figure.rounded(tokens / full));
    row.put("unit", "tokens/s");
    row.put("ratio", Figure.rounded(full / seconds(runs)));
    row.put("predicted", Figure.rounded(tokens / predicted));
    row.put("prediction_error", Figure.rounded(seconds(runs) / predicted - 1));
    row.put("agreement", Figure.rounded(runs.stream().mapToInt(WayRun::agreed).sum() / tokens));
    if (passes == 0) {
      row.put("exits", exits(runs, tokens));
    } else {
      row.put("tokens_per_pass", Figure.rounded(tokens / passes));
      row.put("sources", sources(runs, tokens));
      row.put("rows", byRows(runs));
    }
    return row;
  }

  private static Map<String, Object> exits(List<WayRun> runs, double tokens) {
    TreeMap<Integer, Integer> counts = new TreeMap<>();
    runs.forEach(
        r -> r.exits().forEach((d, n) -> counts.merge(Integer.parseInt(d), n, Integer::sum)));
    Map<String, Object> shares = new LinkedHashMap<>();
    counts.forEach(
        (d, n) -> shares.put(d == 0 ? "final" : d.toString(), Figure.rounded(n / tokens)));
    return shares;
  }

  /**
   * Of each source: the share of all tokens that it drafted, and of its draft tokens that were
   * right.
   */
  private static Map<String, Object> sources(List<WayRun> runs, double tokens) {
    SequencedMap<String, SpeculationReport.DraftCounts> sums = new LinkedHashMap<>();
    for (WayRun r : runs) {
      r.sources()
          .forEach(
              (name, g) ->
                  sums.merge(
                      name,
                      g,
                      (a, b) ->
                          new SpeculationReport.DraftCounts(
                              a.verified() + b.verified(), a.accepted() + b.accepted())));
    }
    Map<String, Object> map = new LinkedHashMap<>();
    sums.forEach(
        (name, g) ->
            map.put(
                name,
                Map.of(
                    "share",
                    Figure.rounded(g.accepted() / tokens),
                    "right",
                    g.verified() == 0 ? 0 : Figure.rounded((double) g.accepted() / g.verified()))));
    return map;
  }

  /** Passes by rows: how many, and milliseconds of one with what drafting took. */
  private static Map<String, Object> byRows(List<WayRun> runs) {
    TreeMap<Integer, WayRun.Rows> sums = new TreeMap<>();
    runs.forEach(
        r ->
            r.byRows()
                .forEach((n, rows) -> sums.merge(Integer.parseInt(n), rows, WayRun.Rows::plus)));
    Map<String, Object> map = new LinkedHashMap<>();
    sums.forEach(
        (n, r) ->
            map.put(
                n.toString(), List.of(r.count(), Figure.rounded(1e3 * r.seconds() / r.count()))));
    return map;
  }

  /** A row as text. */
  public static String line(Map<String, Object> r) {
    return String.format(
        Locale.ROOT,
        "%-62s %6.1f -> %6.1f tokens/s %5.2fx  model %+5.1f%%  agreement %.4f  %s",
        r.get("case"),
        r.get("peer"),
        r.get("ours"),
        r.get("ratio"),
        100 * (Double) r.get("prediction_error"),
        r.get("agreement"),
        r.containsKey("exits")
            ? r.get("exits")
            : r.get("tokens_per_pass")
                + " tokens per pass "
                + r.get("sources")
                + " "
                + r.get("rows"));
  }
}
