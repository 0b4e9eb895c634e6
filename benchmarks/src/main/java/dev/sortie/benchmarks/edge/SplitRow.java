package dev.sortie.benchmarks.edge;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.eetuning.eval.Median;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What was measured of one link and one way, next to the cloud alone over the same link.
 *
 * @param name of the case
 * @param ours a sample for each round
 * @param peer those of the cloud alone; none for the edge alone, which has no link
 * @param equalFull share of tokens that stand before the first one that is not full depth's
 * @param equalExits the same for the text of one process with the same exits
 */
record SplitRow(
    String name, List<Written> ours, List<Written> peer, double equalFull, double equalExits) {

  double ratio() {
    return median(ours, Written::tokensPerSecond) / median(peer, Written::tokensPerSecond);
  }

  boolean isCompared() {
    return !peer.isEmpty();
  }

  /** The row by field. */
  Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("case", name);
    put(m, "ours", ours, Written::tokensPerSecond);
    if (isCompared()) {
      put(m, "peer", peer, Written::tokensPerSecond);
    }
    m.put("unit", "tokens/s");
    if (isCompared()) {
      m.put("ratio", Figure.rounded(ratio()));
    }
    put(m, "first_token_ms", ours, w -> 1e3 * w.firstSeconds());
    put(m, "edge_share", ours, Written::edgeShare);
    put(m, "round_trips", ours, Written::roundTrips);
    put(m, "bytes_up", ours, Written::up);
    put(m, "bytes_down", ours, Written::down);
    m.put("equal_full_depth", Figure.rounded(equalFull));
    m.put("equal_one_process", Figure.rounded(equalExits));
    if (isCompared()) {
      put(m, "peer_first_token_ms", peer, w -> 1e3 * w.firstSeconds());
      put(m, "peer_bytes_up", peer, Written::up);
      put(m, "peer_bytes_down", peer, Written::down);
    }
    return m;
  }

  private static void put(
      Map<String, Object> m, String field, List<Written> samples, ToDoubleFunction<Written> of) {
    m.put(field, Figure.rounded(median(samples, of)));
  }

  private static double median(List<Written> samples, ToDoubleFunction<Written> of) {
    return Median.of(samples.stream().mapToDouble(of));
  }
}
