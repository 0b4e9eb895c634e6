package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.eval.DepthOracle;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.eval.LayerSetOracle;
import dev.sortie.eetuning.plot.PlotFrame;
import dev.sortie.eetuning.plot.ScatterPlot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** The layers that tokens need if any may be left out, in a report and for programs. */
final class LayerSetSection {
  private LayerSetSection() {}

  /** All tokens and each kind, by the same names as those of the oracle over exits. */
  static SequencedMap<String, LayerSetOracle.Part> parts(Optional<LayerSetOracle.Result> sets) {
    SequencedMap<String, LayerSetOracle.Part> parts = new LinkedHashMap<>();
    sets.ifPresent(
        s -> {
          parts.put("all", s.all());
          s.kinds().forEach((kind, part) -> parts.put(kind.label(), part));
        });
    return parts;
  }

  /** What share of tokens is served with a budget of layers. */
  static String html(DepthOracle.Result exits, LayerSetOracle.Result sets) {
    int layers = sets.all().needed().lastEntry().getKey();
    List<ScatterPlot.Series> series =
        List.of(
            within("any set of layers", sets.all().needed()),
            within("exits", byLayers(exits.all().needed(), layers)),
            within("thresholds, right or not", byLayers(exits.all().taken(), layers)));
    String description =
        "mean layers: %s with any set, %s with exits, %s with thresholds."
            .formatted(
                NumberText.fixed(sets.all().layers(), 2),
                NumberText.fixed(exits.all().neededDepth(), 2),
                NumberText.fixed(exits.all().takenDepth(), 2));
    String search =
        sets.exact()
            ? "The search tried all sets"
            : "The search kept at most "
                + sets.width()
                + " sets for each depth and number of layers, so tokens may need fewer";
    return "<p>Any layer may be left out here, not only those after an exit: the fewest layers"
        + " before the final head, or up to an exit, with full depth's token. "
        + search
        + ".</p>\n"
        + ScatterPlot.draw(
                "sets",
                "Tokens served within a budget of layers",
                description,
                series,
                new ScatterPlot.Axes(
                    new PlotFrame.Names("layers", "", "share of tokens", 100, "%"),
                    layers,
                    0,
                    0,
                    1))
            .inline();
  }

  /** Shares by exit as shares by layers. */
  private static SequencedMap<Integer, Double> byLayers(
      SequencedMap<String, Double> byExit, int layers) {
    SequencedMap<Integer, Double> shares = new LinkedHashMap<>();
    byExit.forEach(
        (key, share) ->
            shares.merge(
                key.equals(ExitKeys.FINAL) ? layers : Integer.parseInt(key), share, Double::sum));
    return shares;
  }

  private static ScatterPlot.Series within(String name, SequencedMap<Integer, Double> shares) {
    List<ScatterPlot.Point> points = new ArrayList<>();
    double sum = 0;
    for (Map.Entry<Integer, Double> e : shares.entrySet()) {
      sum += e.getValue();
      String hint = "%s, %d layers: %s".formatted(name, e.getKey(), NumberText.percent(sum));
      points.add(new ScatterPlot.Point(e.getKey(), sum, "", hint));
    }
    return new ScatterPlot.Series(name, points);
  }

  static Map<String, Object> json(LayerSetOracle.Result sets) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("width", sets.width());
    root.put("exact", sets.exact());
    List<Map<String, Object>> all = new ArrayList<>();
    parts(Optional.of(sets))
        .forEach(
            (name, part) -> {
              Map<String, Object> needed = new LinkedHashMap<>();
              part.needed().forEach((n, share) -> needed.put(n.toString(), share));
              Map<String, Object> one = new LinkedHashMap<>();
              one.put("kind", name);
              one.put("tokens", part.tokens());
              one.put("layers", part.layers());
              one.put("needed", needed);
              all.add(one);
            });
    root.put("parts", all);
    return root;
  }
}
