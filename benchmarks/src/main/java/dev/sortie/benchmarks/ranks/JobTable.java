package dev.sortie.benchmarks.ranks;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.eetuning.eval.Median;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/** Layouts compared with one rank: medians over rounds. */
public final class JobTable {
  private JobTable() {}

  /**
   * A row for each layout but one rank, in the order of {@link Layout}.
   *
   * @param runs one rank's among them
   * @throws InputException if a layout made something else than one rank
   */
  public static List<Map<String, Object>> rows(List<JobRun> runs) {
    Map<Layout, List<JobRun>> byLayout = new TreeMap<>();
    runs.forEach(r -> byLayout.computeIfAbsent(r.layout(), l -> new ArrayList<>()).add(r));
    if (!byLayout.containsKey(Layout.ONE)) {
      throw new UsageException("--layout lacks one, with which the others are compared");
    }
    String expected = byLayout.get(Layout.ONE).getFirst().result();
    for (JobRun r : runs) {
      if (r.layout().isExact() && !r.result().equals(expected)) {
        throw new InputException(
            "%s made %s, one rank %s; they must have the same bits"
                .formatted(r.layout().label(), r.result(), expected));
      }
    }
    double one = median(byLayout.get(Layout.ONE));
    double apart = byLayout.containsKey(Layout.APART) ? median(byLayout.get(Layout.APART)) : 0;
    List<Map<String, Object>> rows = new ArrayList<>();
    byLayout.forEach(
        (layout, list) -> {
          if (layout != Layout.ONE) {
            rows.add(row(layout, list, one, apart));
          }
        });
    return rows;
  }

  private static Map<String, Object> row(
      Layout layout, List<JobRun> runs, double one, double apart) {
    double rate = median(runs);
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("case", layout.label());
    row.put("ours", Figure.rounded(rate));
    row.put("peer", Figure.rounded(one));
    row.put("unit", "tokens/s");
    row.put("ratio", Figure.rounded(rate / one));
    if (layout != Layout.APART && apart > 0) {
      row.put("of_two_commands", Figure.rounded(rate / apart));
    }
    row.put("slowest", Figure.rounded(rates(runs).min().orElseThrow()));
    row.put("fastest", Figure.rounded(rates(runs).max().orElseThrow()));
    return row;
  }

  private static double median(List<JobRun> runs) {
    return Median.of(rates(runs));
  }

  private static DoubleStream rates(List<JobRun> runs) {
    return runs.stream().mapToDouble(JobRun::rate);
  }

  /** A row as text. */
  public static String line(Map<String, Object> r) {
    return String.format(
        Locale.ROOT,
        "%-22s %8s tokens/s (%s to %s)  one rank %8s  ratio %.3f%s",
        r.get("case"),
        Figure.text((Double) r.get("ours")),
        Figure.text((Double) r.get("slowest")),
        Figure.text((Double) r.get("fastest")),
        Figure.text((Double) r.get("peer")),
        r.get("ratio"),
        r.containsKey("of_two_commands")
            ? String.format(Locale.ROOT, ", %.3f of two commands", r.get("of_two_commands"))
            : "");
  }
}
