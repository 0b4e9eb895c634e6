package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.measure.Figure;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One case of a comparison.
 *
 * @param name the case
 * @param group cases that are also averaged together
 * @param ours our rate; more is better
 * @param peer the peer's rate
 * @param unit of both
 * @param extra further figures by name
 */
public record Row(
    String name, String group, double ours, double peer, String unit, Map<String, Object> extra) {

  /** Rates are positive. */
  public Row {
    if (!(ours > 0 && peer > 0) || Double.isInfinite(ours) || Double.isInfinite(peer)) {
      throw new IllegalArgumentException(
          name + ": rates must be positive, got " + ours + " and " + peer);
    }
    extra = new LinkedHashMap<>(extra);
  }

  /** Above 1 where we are ahead. */
  public double ratio() {
    return ours / peer;
  }

  /** The row by field. */
  Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("case", name);
    m.put("ours", Figure.rounded(ours));
    m.put("peer", Figure.rounded(peer));
    m.put("unit", unit);
    m.put("ratio", Figure.rounded(ratio()));
    m.putAll(extra);
    return m;
  }
}
