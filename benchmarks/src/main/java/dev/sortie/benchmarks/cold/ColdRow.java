package dev.sortie.benchmarks.cold;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.eetuning.eval.Median;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Seconds of one case: all samples of both sides.
 *
 * @param name the case and what was waited for
 * @param ours at least one
 * @param peer the peer's; none where there is no peer
 */
public record ColdRow(String name, List<Double> ours, List<Double> peer) {

  public ColdRow {
    ours = List.copyOf(ours);
    peer = List.copyOf(peer);
  }

  /** Whether there is a ratio. */
  public boolean isCompared() {
    return !peer.isEmpty();
  }

  /** The peer's median time by ours: above 1 where we are ahead. */
  public double ratio() {
    return median(peer) / median(ours);
  }

  /** The row by field. */
  public Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("case", name);
    m.put("ours", Figure.rounded(median(ours)));
    if (isCompared()) {
      m.put("peer", Figure.rounded(median(peer)));
    }
    m.put("unit", "s");
    if (isCompared()) {
      m.put("ratio", Figure.rounded(ratio()));
      m.put("times_the_peer", Figure.rounded(1 / ratio()));
    }
    m.put("ours_min", Figure.rounded(least(ours)));
    m.put("ours_max", Figure.rounded(most(ours)));
    if (isCompared()) {
      m.put("peer_min", Figure.rounded(least(peer)));
      m.put("peer_max", Figure.rounded(most(peer)));
    }
    return m;
  }

  /** The row as text. */
  public String line() {
    String line = String.format(Locale.ROOT, "%-24s ours %s", name, text(ours));
    return isCompared()
        ? line
            + String.format(
                Locale.ROOT,
                "  peer %s  ratio %.3f, %.2f times the peer's time",
                text(peer),
                ratio(),
                1 / ratio())
        : line;
  }

  private static String text(List<Double> seconds) {
    return String.format(
        Locale.ROOT, "%6.2f s (%.2f to %.2f)", median(seconds), least(seconds), most(seconds));
  }

  private static double median(List<Double> seconds) {
    return Median.of(seconds.stream().mapToDouble(s -> s));
  }

  private static double least(List<Double> seconds) {
    return seconds.stream().mapToDouble(s -> s).min().orElseThrow();
  }

  private static double most(List<Double> seconds) {
    return seconds.stream().mapToDouble(s -> s).max().orElseThrow();
  }
}
