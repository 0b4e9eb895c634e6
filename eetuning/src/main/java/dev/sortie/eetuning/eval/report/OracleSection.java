package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.eval.DepthOracle;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.eval.LayerSetOracle;
import dev.sortie.eetuning.plot.Palette;
import dev.sortie.eetuning.plot.StackedBars;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** The depths that tokens need and those that thresholds take, in a report and for programs. */
final class OracleSection {
  private OracleSection() {}

  private static SequencedMap<String, DepthOracle.Part> parts(DepthOracle.Result r) {
    SequencedMap<String, DepthOracle.Part> parts = new LinkedHashMap<>();
    parts.put("all", r.all());
    r.kinds().forEach((kind, part) -> parts.put(kind.label(), part));
    return parts;
  }

  /** Colours by exit. */
  static Palette palette(DepthOracle.Result r) {
    return new Palette(List.copyOf(r.all().needed().sequencedKeySet()));
  }

  static String html(DepthOracle.Result r, Optional<LayerSetOracle.Result> sets) {
    SequencedMap<String, LayerSetOracle.Part> bySets = LayerSetSection.parts(sets);
    List<StackedBars.Group> groups = new ArrayList<>();
    List<String> hints = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    parts(r)
        .forEach(
            (name, part) -> {
              groups.add(
                  new StackedBars.Group(
                      name + ", " + NumberText.fixed(part.tokens(), 0) + " tokens",
                      List.of(
                          new StackedBars.Bar("need", part.needed()),
                          new StackedBars.Bar("take", part.taken()))));
              hints.add(
                  "%s: %s layers needed, %s taken"
                      .formatted(
                          name,
                          NumberText.fixed(part.neededDepth(), 2),
                          NumberText.fixed(part.takenDepth(), 2)));
              List<String> row = new ArrayList<>();
              row.add(name);
              row.add(NumberText.fixed(part.tokens(), 0));
              if (sets.isPresent()) {
                row.add(NumberText.fixed(bySets.get(name).layers(), 2));
              }
              row.add(NumberText.fixed(part.neededDepth(), 2));
              row.add(NumberText.fixed(part.takenDepth(), 2));
              row.add(NumberText.percent(part.agreement()));
              rows.add(row);
            });
    String thresholds =
        r.thresholds().entrySet().stream()
            .map(e -> e.getKey() + ": " + NumberText.plain(e.getValue()))
            .collect(Collectors.joining(", "));
    String picture =
        StackedBars.draw(
                "oracle",
                "Depth that tokens need, and that thresholds take",
                String.join("; ", hints) + ".",
                groups,
                "share of tokens",
                palette(r),
                ExitKeys::label)
            .inline();
    return EvalTables.section(
        "What depth do tokens need?",
        "<p>Need: the shallowest exit that chooses full depth's token. Take: where the thresholds "
            + thresholds
            + " let it leave, which know confidences only. The difference is what a better rule"
            + " could save with the same exits.</p>\n"
            + picture
            + sets.map(s -> LayerSetSection.html(r, s)).orElse("")
            + EvalTables.table(columns(sets.isPresent()), rows));
  }

  private static List<String> columns(boolean sets) {
    List<String> names = new ArrayList<>(List.of("tokens", "number"));
    if (sets) {
      names.add("layers of the cheapest set");
    }
    names.addAll(List.of("layers needed", "layers taken", "agreement"));
    return names;
  }

  static Map<String, Object> json(DepthOracle.Result r, Optional<LayerSetOracle.Result> sets) {
    Map<String, Object> root = new LinkedHashMap<>();
    Map<String, Object> thresholds = new LinkedHashMap<>();
    r.thresholds().forEach((depth, x) -> thresholds.put(depth.toString(), x));
    root.put("thresholds", thresholds);
    List<Map<String, Object>> all = new ArrayList<>();
    parts(r)
        .forEach(
            (name, part) -> {
              Map<String, Object> one = new LinkedHashMap<>();
              one.put("kind", name);
              one.put("tokens", part.tokens());
              one.put("needed", part.needed());
              one.put("taken", part.taken());
              one.put("needed_depth", part.neededDepth());
              one.put("taken_depth", part.takenDepth());
              one.put("agreement", part.agreement());
              all.add(one);
            });
    root.put("parts", all);
    sets.ifPresent(s -> root.put("sets", LayerSetSection.json(s)));
    return root;
  }
}
