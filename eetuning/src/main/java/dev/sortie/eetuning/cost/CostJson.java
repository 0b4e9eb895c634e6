package dev.sortie.eetuning.cost;

import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** A {@link CostTable} as JSON: seconds, by the number of rows where they depend on it. */
public final class CostJson {
  private static final double LONGEST = 1e6;

  private CostJson() {}

  /** The table as a map for JSON. */
  public static Map<String, Object> of(CostTable t) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("layers", t.layers());
    root.put("position", t.position());
    root.put("layer", times(t.layer()));
    root.put("attention", times(t.attention()));
    root.put("head", times(t.head()));
    root.put("token", t.token());
    List<Map<String, Object>> exits = new ArrayList<>();
    for (ExitCost e : t.exits()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("depth", e.depth());
      e.layer().ifPresent(l -> one.put("layer", times(l)));
      one.put("check", e.check());
      exits.add(one);
    }
    root.put("exits", exits);
    t.lookahead()
        .ifPresent(
            l -> {
              Map<String, Object> one = new LinkedHashMap<>();
              one.put("catch_up", times(l.catchUp()));
              one.put("check", l.check());
              one.put("again", l.again());
              root.put("lookahead", one);
            });
    return root;
  }

  /** The table that {@link #of} made JSON of. */
  static CostTable read(JsonObject root) {
    int layers = root.getInt("layers", 1, 1 << 20);
    List<ExitCost> exits = new ArrayList<>();
    for (JsonObject e : root.getObjects("exits")) {
      Optional<RowTimes> own = e.optional("layer", e::getObject).map(CostJson::times);
      exits.add(new ExitCost(e.getInt("depth", 1, layers), own, e.getDouble("check", 0, LONGEST)));
    }
    return new CostTable(
        layers,
        root.getInt("position", 0, Integer.MAX_VALUE),
        times(root.getObject("layer")),
        times(root.getObject("attention")),
        times(root.getObject("head")),
        root.getDouble("token", 0, LONGEST),
        exits,
        root.optional("lookahead", root::getObject).map(CostJson::lookahead));
  }

  private static LookaheadCost lookahead(JsonObject l) {
    return new LookaheadCost(
        times(l.getObject("catch_up")),
        l.getDouble("check", 0, LONGEST),
        l.getDouble("again", 0, LONGEST));
  }

  private static Map<String, Object> times(RowTimes t) {
    Map<String, Object> map = new LinkedHashMap<>();
    t.seconds().forEach((rows, seconds) -> map.put(rows.toString(), seconds));
    return map;
  }

  private static RowTimes times(JsonObject object) {
    NavigableMap<Integer, Double> seconds = new TreeMap<>();
    for (String rows : object.fields().keySet()) {
      if (!rows.matches("[1-9][0-9]{0,5}")) {
        throw object.error(rows, "a number of rows as the name");
      }
      seconds.put(Integer.valueOf(rows), object.getDouble(rows, 0, LONGEST));
    }
    if (!seconds.containsKey(1)) {
      throw object.error("1", "seconds for one row");
    }
    return new RowTimes(seconds);
  }
}
