package dev.sortie.benchmarks.compare;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.eval.DecodingVariant;
import dev.sortie.eetuning.eval.PairedRuns;
import dev.sortie.eetuning.eval.PredictedSpeed;
import dev.sortie.nn.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * One prompt decoded in one way.
 *
 * @param way its word
 * @param tokens after the first
 * @param seconds for them
 * @param fullSeconds for as many at full depth, immediately before or after
 * @param predicted seconds by the cost model
 * @param agreed tokens that full depth would have chosen at the same place
 * @param exits how many tokens left at each depth; 0 for the final layer
 * @param passes through the whole model that verified, 0 where nothing is drafted
 * @param sources draft tokens verified and right, by who drafted
 * @param byRows passes by their number of rows
 */
public record WayRun(
    String way,
    int tokens,
    double seconds,
    double fullSeconds,
    double predicted,
    int agreed,
    SequencedMap<String, Integer> exits,
    int passes,
    SequencedMap<String, SpeculationReport.DraftCounts> sources,
    SequencedMap<String, Rows> byRows) {
  private static final int MOST = Integer.MAX_VALUE;
  private static final double LONGEST = 1e9;

  /**
   * Passes over one number of rows.
   *
   * @param count how many
   * @param seconds for them, drafting included
   */
  public record Rows(int count, double seconds) {
    Rows plus(Rows o) {
      return new Rows(count + o.count, seconds + o.seconds);
    }
  }

  /** What {@code pair} shows. */
  static WayRun of(
      String way, DecodingVariant c, PairedRuns.Pair pair, int agreed, PredictedSpeed prediction) {
    PairedRuns.Decoded decoded = pair.decoded();
    SequencedMap<String, Integer> exits = new LinkedHashMap<>();
    decoded.generation().tokens().stream()
        .skip(1)
        .map(GeneratedToken::exit)
        .map(e -> String.valueOf(e.orElse(0)))
        .sorted()
        .forEach(e -> exits.merge(e, 1, Integer::sum));
    TreeMap<Integer, Rows> rows = new TreeMap<>();
    decoded
        .speculation()
        .trace()
        .forEach(p -> rows.merge(p.drafted() + 1, new Rows(1, p.seconds()), Rows::plus));
    SequencedMap<String, Rows> byRows = new LinkedHashMap<>();
    rows.forEach((r, v) -> byRows.put(r.toString(), v));
    return new WayRun(
        way,
        decoded.generation().tokens().size() - 1,
        decoded.generation().decodeSeconds(),
        pair.full().decodeSeconds(),
        prediction.seconds(c, decoded),
        agreed,
        exits,
        decoded.speculation().passes(),
        new LinkedHashMap<>(decoded.speculation().sources()),
        byRows);
  }

  /** As a map for JSON. */
  Map<String, Object> json() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("way", way);
    map.put("tokens", tokens);
    map.put("seconds", seconds);
    map.put("full_seconds", fullSeconds);
    map.put("predicted", predicted);
    map.put("agreed", agreed);
    map.put("exits", exits);
    map.put("passes", passes);
    Map<String, Object> counts = new LinkedHashMap<>();
    sources.forEach(
        (name, g) -> counts.put(name, Map.of("verified", g.verified(), "accepted", g.accepted())));
    map.put("sources", counts);
    Map<String, Object> rows = new LinkedHashMap<>();
    byRows.forEach((n, r) -> rows.put(n, Map.of("count", r.count, "seconds", r.seconds)));
    map.put("rows", rows);
    return map;
  }

  /** From {@link #json}. */
  static WayRun read(JsonObject o) {
    SequencedMap<String, Integer> exits = new LinkedHashMap<>();
    JsonObject e = o.getObject("exits");
    e.fields().keySet().forEach(k -> exits.put(k, e.getInt(k, 0, MOST)));
    SequencedMap<String, SpeculationReport.DraftCounts> sources = new LinkedHashMap<>();
    JsonObject s = o.getObject("sources");
    for (String k : s.fields().keySet()) {
      JsonObject g = s.getObject(k);
      sources.put(
          k,
          new SpeculationReport.DraftCounts(
              g.getInt("verified", 0, MOST), g.getInt("accepted", 0, MOST)));
    }
    SequencedMap<String, Rows> byRows = new LinkedHashMap<>();
    JsonObject r = o.getObject("rows");
    for (String k : r.fields().keySet()) {
      JsonObject one = r.getObject(k);
      byRows.put(k, new Rows(one.getInt("count", 0, MOST), one.getDouble("seconds", 0, LONGEST)));
    }
    return new WayRun(
        o.getString("way"),
        o.getInt("tokens", 1, MOST),
        o.getDouble("seconds", 0, LONGEST),
        o.getDouble("full_seconds", 0, LONGEST),
        o.getDouble("predicted", 0, LONGEST),
        o.getInt("agreed", 0, MOST),
        exits,
        o.getInt("passes", 0, MOST),
        sources,
        byRows);
  }
}
