package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.eetuning.host.Machine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Our ways of doing a thing against one of them.
 *
 * @param name of the benchmark
 * @param peer the way that the others are compared with
 * @param machine where and when
 * @param threads in words
 * @param settings what was measured
 * @param rows one for each way
 * @param ratios to the peer, of the rows that count; may be none
 */
public record OwnResult(
    String name,
    String peer,
    Machine machine,
    String threads,
    Map<String, Object> settings,
    List<Map<String, Object>> rows,
    List<Double> ratios) {

  /** The result as fields of JSON. */
  public Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("name", name);
    m.put("peer", peer);
    m.put("device", machine.cpu() + ", " + threads + ", " + machine.kernels());
    m.putAll(settings);
    m.put("rows", rows);
    if (!ratios.isEmpty()) {
      m.put("geomean", Figure.rounded(Figure.geomean(ratios.stream().mapToDouble(r -> r))));
    }
    m.put("java", machine.java());
    m.put("date", machine.date());
    return m;
  }
}
