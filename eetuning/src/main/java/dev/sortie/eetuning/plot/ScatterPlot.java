package dev.sortie.eetuning.plot;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** One measure over another: series of points, each with a label where there is room for it. */
public final class ScatterPlot {
  private static final double RIGHT = PlotFrame.WIDTH - 24;
  private static final double RADIUS = 5.5;
  private static final double LETTER = 8.5;
  private static final double LINE = 17;

  private record Box(double left, double top, double right, double bottom) {
    boolean meets(Box other) {
      return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
    }
  }

  /**
   * A point.
   *
   * @param label written next to it; empty: none
   * @param hint a text that a pointer brings up
   */
  public record Point(double x, double y, String label, String hint) {}

  /**
   * Points that a line joins.
   *
   * @param name in the legend
   */
  public record Series(String name, List<Point> points) {}

  /**
   * The measures.
   *
   * @param names of the axes
   * @param x a value that the axis has at any rate; a vertical line marks it
   * @param band values from {@code x / (1 + band)} to {@code x (1 + band)} are hardly different
   *     from it and shaded; 0: none
   * @param least value down to which the vertical axis reaches at any rate
   * @param most value up to which it reaches at any rate
   */
  public record Axes(PlotFrame.Names names, double x, double band, double least, double most) {}

  private ScatterPlot() {}

  /**
   * The drawing.
   *
   * @param id unique in the page
   * @param title read out in place of the picture
   * @param description what the picture says, for those who do not see it
   */
  public static Svg draw(
      String id, String title, String description, List<Series> series, Axes axes) {
    double legend = series.size() * 22 + 6;
    Svg svg = new Svg(id, title, description, PlotFrame.WIDTH, PlotFrame.HEIGHT + legend);
    if (series.isEmpty()) {
      PlotFrame.empty(svg, PlotFrame.WIDTH, PlotFrame.HEIGHT);
      return svg;
    }
    double left = Math.min(axes.x(), points(series).mapToDouble(Point::x).min().orElseThrow());
    double right = Math.max(axes.x(), points(series).mapToDouble(Point::x).max().orElseThrow());
    double worst = points(series).mapToDouble(Point::y).min().orElseThrow();
    double best = points(series).mapToDouble(Point::y).max().orElseThrow();
    PlotAxis x = PlotAxis.around(left, right, 5, PlotFrame.LEFT + 8, RIGHT);
    PlotAxis y =
        PlotAxis.around(
            Math.min(worst, axes.least()),
            Math.max(best, axes.most()),
            5,
            PlotFrame.BOTTOM,
            PlotFrame.TOP + 12);
    if (axes.band() > 0) {
      double from = Math.max(x.at(axes.x() / (1 + axes.band())), x.from());
      double to = Math.min(x.at(axes.x() * (1 + axes.band())), x.to());
      svg.rect("band", from, y.to(), to - from, y.from() - y.to(), "");
    }
    PlotFrame.draw(svg, x, y, axes.names());
    svg.line("base", x.at(axes.x()), y.from(), x.at(axes.x()), y.to());
    List<Box> taken = new ArrayList<>();
    points(series).forEach(p -> taken.add(around(x.at(p.x()), y.at(p.y()))));
    for (int i = 0; i < series.size(); i++) {
      series(svg, series.get(i), i, x, y, taken);
      legend(svg, series.get(i), i);
    }
    return svg;
  }

  private static Stream<Point> points(List<Series> series) {
    return series.stream().flatMap(s -> s.points().stream());
  }

  private static void series(
      Svg svg, Series series, int index, PlotAxis x, PlotAxis y, List<Box> taken) {
    StringBuilder data = new StringBuilder();
    for (Point p : series.points()) {
      data.append(data.isEmpty() ? 'M' : 'L');
      data.append(Svg.px(x.at(p.x()))).append(' ').append(Svg.px(y.at(p.y())));
    }
    svg.path("thin k" + index % 4, data.toString(), "");
    for (Point p : series.points()) {
      double px = x.at(p.x());
      double py = y.at(p.y());
      svg.path("point k" + index % 4, marker(index).path(px, py, RADIUS), p.hint());
      if (!p.label().isEmpty()) {
        label(svg, p.label(), px, py, taken);
      }
    }
  }

  private static void legend(Svg svg, Series series, int index) {
    double y = PlotFrame.HEIGHT + 12 + index * 22;
    svg.path("point k" + index % 4, marker(index).path(PlotFrame.LEFT + 8, y - 5, RADIUS), "");
    svg.text("series ink start", PlotFrame.LEFT + 22, y, series.name());
  }

  /** The shape changes with the colour, and shifts when the four colours start again. */
  private static Marker marker(int index) {
    Marker[] all = Marker.values();
    return all[(index + index / all.length) % all.length];
  }

  /** Puts a label at the first place near its point that is free, or nowhere: the hint has it. */
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
}
