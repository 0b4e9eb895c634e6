package dev.sortie.eetuning.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Quality against speed: agreement or a score over speed-up, a point per threshold. */
final class ScatterPlot {
  private static final double RIGHT = PlotFrame.WIDTH - 24;
  private static final double RADIUS = 5.5;
  private static final double LETTER = 8.5;
  private static final double LINE = 17;

  private record Box(double left, double top, double right, double bottom) {
    boolean meets(Box other) {
      return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
    }
  }

  private ScatterPlot() {}

  /**
   * What is plotted over the speed.
   *
   * @param axis name of the axis
   * @param word name within sentences
   * @param least value down to which the axis reaches at any rate
   * @param of its value, 0 to 1
   */
  record Quality(String axis, String word, double least, ToDoubleFunction<SweepPoint> of) {
    /** Agreement with full depth. */
    static final Quality AGREEMENT =
        new Quality("agreement with full depth", "agreement", 0.98, SweepPoint::agreement);
  }

  static Svg draw(String id, String title, List<SweepPoint> sweep) {
    return draw(id, title, sweep, Quality.AGREEMENT);
  }

  static Svg draw(String id, String title, List<SweepPoint> sweep, Quality q) {
    List<SweepSeries> series = SweepSeries.of(sweep);
    double legend = series.size() * 22 + 6;
    Svg svg = new Svg(id, title, describe(sweep, q), PlotFrame.WIDTH, PlotFrame.HEIGHT + legend);
    if (sweep.isEmpty()) {
      PlotFrame.empty(svg, PlotFrame.WIDTH, PlotFrame.HEIGHT);
      return svg;
    }
    // Full depth, at speed-up 1 and agreement 1, always belongs to the picture.
    double slowest =
        Math.min(1, sweep.stream().mapToDouble(SweepPoint::speedup).min().orElseThrow());
    double fastest =
        Math.max(1, sweep.stream().mapToDouble(SweepPoint::speedup).max().orElseThrow());
    double worst = sweep.stream().mapToDouble(q.of()).min().orElseThrow();
    double best = sweep.stream().mapToDouble(q.of()).max().orElseThrow();
    Axis x = Axis.around(slowest, fastest, 5, PlotFrame.LEFT + 8, RIGHT);
    Axis y =
        Axis.around(
            Math.min(worst, q.least()),
            q == Quality.AGREEMENT ? 1 : best,
            5,
            PlotFrame.BOTTOM,
            PlotFrame.TOP + 12);
    PlotFrame.draw(
        svg, x, y, new PlotFrame.Names("speed-up over full depth", "×", q.axis(), 100, "%"));
    svg.line("base", x.at(1), y.from(), x.at(1), y.to());
    List<Box> taken = new ArrayList<>();
    for (SweepPoint p : sweep) {
      taken.add(around(x.at(p.speedup()), y.at(q.of().applyAsDouble(p))));
    }
    for (int i = 0; i < series.size(); i++) {
      series(svg, series.get(i), i, x, y, taken, q);
      legend(svg, series.get(i), i);
    }
    return svg;
  }

  private static void series(
      Svg svg, SweepSeries series, int index, Axis x, Axis y, List<Box> taken, Quality q) {
    StringBuilder data = new StringBuilder();
    for (SweepPoint p : series.points()) {
      data.append(data.isEmpty() ? 'M' : 'L');
      data.append(Svg.px(x.at(p.speedup())))
          .append(' ')
          .append(Svg.px(y.at(q.of().applyAsDouble(p))));
    }
    svg.path("thin k" + index % 4, data.toString(), "");
    for (SweepPoint p : series.points()) {
      double px = x.at(p.speedup());
      double py = y.at(q.of().applyAsDouble(p));
      svg.path(
          "point k" + index % 4, marker(index).path(px, py, RADIUS), hint(series.name(), p, q));
      if (!p.activeExits().isEmpty()) {
        label(svg, Figures.plain(p.threshold()), px, py, taken);
      }
    }
  }

  private static void legend(Svg svg, SweepSeries series, int index) {
    double y = PlotFrame.HEIGHT + 12 + index * 22;
    svg.path("point k" + index % 4, marker(index).path(PlotFrame.LEFT + 8, y - 5, RADIUS), "");
    String suffix =
        series.points().getFirst().activeExits().isEmpty() ? "" : ", labelled with its threshold";
    svg.text("series ink start", PlotFrame.LEFT + 22, y, series.name() + suffix);
  }

  /** The shape changes with the colour, and shifts when the four colours start again. */
  private static Marker marker(int index) {
    Marker[] all = Marker.values();
    return all[(index + index / all.length) % all.length];
  }

  /** Puts a label at the first place beside its point that is free, or nowhere: the hint has it. */
  private static void label(Svg svg, String text, double px, double py, List<Box> taken) {
    double width = text.length() * LETTER;
    double[][] places = {
      {px + 9, py - 5},
      {px - 9 - width, py + 18},
      {px + 9, py + 18},
      {px - 9 - width, py - 5},
      {px - width / 2, py - 12},
      {px - width / 2, py + 25},
    };
    for (double[] place : places) {
      Box box = new Box(place[0], place[1] - LINE + 4, place[0] + width, place[1] + 2);
      boolean inside =
          box.left() > PlotFrame.LEFT
              && box.right() < PlotFrame.WIDTH
              && box.bottom() < PlotFrame.BOTTOM;
      if (inside && taken.stream().noneMatch(box::meets)) {
        taken.add(box);
        svg.text("label start", place[0], place[1], text);
        return;
      }
    }
  }

  private static Box around(double x, double y) {
    return new Box(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS);
  }

  private static String hint(String name, SweepPoint p, Quality q) {
    return "%s, threshold %s: %s× at %s %s"
        .formatted(
            name,
            Figures.plain(p.threshold()),
            Figures.fixed(p.speedup(), 2),
            Figures.percent(q.of().applyAsDouble(p)),
            q.word());
  }

  private static String describe(List<SweepPoint> sweep, Quality q) {
    if (sweep.isEmpty()) {
      return "Nothing was measured.";
    }
    List<String> parts = sweep.stream().map(p -> hint(p.strategy(), p, q)).toList();
    return String.join("; ", parts) + ".";
  }
}
