package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.eval.MeasurementError;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.plot.Palette;
import dev.sortie.eetuning.plot.PlotFrame;
import dev.sortie.eetuning.plot.ScatterPlot;
import dev.sortie.eetuning.plot.StackedBars;
import dev.sortie.eetuning.plot.Svg;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** The plots of a sweep: quality against speed, and where tokens leave. */
final class SweepPlots {

  /**
   * Points of a sweep that differ in the threshold alone.
   *
   * @param name the strategy, with its exits where several sets of exits were tried
   * @param points by ascending threshold
   */
  record Series(String name, List<SweepPoint> points) {}

  /**
   * What is plotted over the speed.
   *
   * @param axis name of the axis
   * @param word name within sentences
   * @param least value down to which the axis reaches at any rate
   * @param most value up to which it reaches at any rate
   * @param of its value, 0 to 1
   */
  record Quality(
      String axis, String word, double least, double most, ToDoubleFunction<SweepPoint> of) {
    /** Agreement with full depth, which agrees with itself. */
    static final Quality AGREEMENT =
        new Quality("agreement with full depth", "agreement", 0.98, 1, SweepPoint::agreement);
  }

  private SweepPlots() {}

  /** The sweep in series, in the order in which they first occur. */
  static List<Series> series(List<SweepPoint> sweep) {
    Map<String, Long> sets =
        sweep.stream()
            .collect(
                Collectors.groupingBy(
                    SweepPoint::strategy,
                    Collectors.mapping(
                        SweepPoint::activeExits,
                        Collectors.collectingAndThen(
                            Collectors.toSet(), found -> (long) found.size()))));
    Map<String, List<SweepPoint>> groups = new LinkedHashMap<>();
    for (SweepPoint point : sweep) {
      String name = point.strategy();
      if (sets.get(name) > 1 && !point.activeExits().isEmpty()) {
        name +=
            point.activeExits().stream()
                .map(String::valueOf)
                .collect(Collectors.joining("+", ", exits ", ""));
      }
      groups.computeIfAbsent(name, key -> new ArrayList<>()).add(point);
    }
    List<Series> series = new ArrayList<>();
    groups.forEach(
        (name, points) ->
            series.add(
                new Series(
                    name,
                    points.stream()
                        .sorted(Comparator.comparingDouble(SweepPoint::threshold))
                        .toList())));
    return series;
  }

  /**
   * Quality over speed-up, a point for each threshold; full depth is at speed-up 1, in a band as
   * wide as the error.
   */
  static Svg quality(
      String id, String title, List<SweepPoint> sweep, Quality q, MeasurementError error) {
    List<ScatterPlot.Series> series = new ArrayList<>();
    for (Series s : series(sweep)) {
      List<ScatterPlot.Point> points = new ArrayList<>();
      for (SweepPoint p : s.points()) {
        String label = p.activeExits().isEmpty() ? "" : NumberText.plain(p.threshold());
        points.add(
            new ScatterPlot.Point(
                p.speedup(), q.of().applyAsDouble(p), label, hint(s.name(), p, q, error)));
      }
      series.add(new ScatterPlot.Series(s.name(), points));
    }
    PlotFrame.Names names =
        new PlotFrame.Names("speed-up over full depth", "×", q.axis(), 100, "%");
    List<String> hints = sweep.stream().map(p -> hint(p.strategy(), p, q, error)).toList();
    return ScatterPlot.draw(
        id,
        title,
        sentence(hints),
        series,
        new ScatterPlot.Axes(names, 1, error.isKnown() ? error.value() : 0, q.least(), q.most()));
  }

  private static String hint(String name, SweepPoint p, Quality q, MeasurementError error) {
    return "%s, threshold %s: %s× (%s) at %s %s"
        .formatted(
            name,
            NumberText.plain(p.threshold()),
            NumberText.fixed(p.speedup(), 2),
            SpeedText.verdict(p, error),
            NumberText.percent(q.of().applyAsDouble(p)),
            q.word());
  }

  /** Share of tokens per exit, a bar for each threshold. */
  static Svg shares(String id, String title, List<SweepPoint> sweep, Palette palette) {
    List<StackedBars.Group> groups = new ArrayList<>();
    List<String> hints = new ArrayList<>();
    for (Series s : series(sweep.stream().filter(p -> !p.activeExits().isEmpty()).toList())) {
      List<StackedBars.Bar> bars = new ArrayList<>();
      for (SweepPoint p : s.points()) {
        String threshold = NumberText.plain(p.threshold());
        bars.add(new StackedBars.Bar(threshold, p.exits()));
        hints.add(
            p.exits().entrySet().stream()
                .map(e -> ExitKeys.label(e.getKey()) + ": " + NumberText.percent(e.getValue()))
                .collect(
                    Collectors.joining(", ", s.name() + ", threshold " + threshold + ": ", "")));
      }
      groups.add(new StackedBars.Group(s.name() + ", by threshold", bars));
    }
    return StackedBars.draw(
        id, title, sentence(hints), groups, "share of tokens", palette, ExitKeys::label);
  }

  private static String sentence(List<String> parts) {
    return parts.isEmpty() ? "Nothing was measured." : String.join("; ", parts) + ".";
  }
}
