package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.eetuning.host.Machine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A finished comparison.
 *
 * @param name of the comparison
 * @param peer the peer with its version
 * @param machine where and when
 * @param limits of the machine, measured in the same run
 * @param rows at least one
 */
public record Result(String name, String peer, Machine machine, Limits limits, List<Row> rows) {

  /** There is something to average. */
  public Result {
    rows = List.copyOf(rows);
    if (rows.isEmpty()) {
      throw new IllegalArgumentException(name + ": no rows");
    }
  }

  /** Geometric mean of the ratios. */
  public double geomean() {
    return geomean(rows);
  }

  /** Geometric mean of the ratios of each group, in the order of the rows. */
  public Map<String, Double> groups() {
    return rows.stream()
        .collect(
            Collectors.groupingBy(
                Row::group,
                LinkedHashMap::new,
                Collectors.collectingAndThen(Collectors.toList(), Result::geomean)));
  }

  private static double geomean(List<Row> rows) {
    return Figure.geomean(rows.stream().mapToDouble(Row::ratio));
  }

  /** The result as fields of JSON. */
  public Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("name", name);
    m.put("device", machine.cpu() + ", " + limits.threads() + " threads, " + machine.kernels());
    m.put("rows", rows.stream().map(Row::describe).toList());
    m.put("geomean", Figure.rounded(geomean()));
    Map<String, Object> groups = new LinkedHashMap<>();
    groups().forEach((group, mean) -> groups.put(group, Figure.rounded(mean)));
    m.put("groups", groups);
    m.put("peer", peer);
    m.put("limits", limits.describe());
    m.put("cpu", machine.cpu());
    m.put("cores", machine.cores());
    m.put("java", machine.java());
    m.put("kernels", machine.kernels());
    m.put("date", machine.date());
    return m;
  }
}
