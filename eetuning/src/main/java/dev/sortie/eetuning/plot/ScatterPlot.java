package dev.sortie.eetuning.plot;

import java.util.List;
import java.util.stream.Stream;

/** One measure over another: series of points, each with a label where there is room for it. */
public final class ScatterPlot {
  private static final double RIGHT = PlotFrame.WIDTH - 24;
  private static final double RADIUS = 5.5;

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
    for (int i = 0; i < series.size(); i++) {
      lines(svg, series.get(i), i, x, y);
      legend(svg, series.get(i), i);
    }
    for (int i = 0; i < series.size(); i++) {
      for (Point p : series.get(i).points()) {
        String shape = marker(i).path(x.at(p.x()), y.at(p.y()), RADIUS);
        svg.path("point k" + i % 4, shape, p.hint());
      }
    }
    labels(svg, series, x, y);
    return svg;
  }

  private static Stream<Point> points(List<Series> series) {
    return series.stream().flatMap(s -> s.points().stream());
  }

  private static void lines(Svg svg, Series series, int index, PlotAxis x, PlotAxis y) {
    StringBuilder data = new StringBuilder();
    for (Point p : series.points()) {
      data.append(data.isEmpty() ? 'M' : 'L');
      data.append(Svg.px(x.at(p.x()))).append(' ').append(Svg.px(y.at(p.y())));
    }
    svg.path("thin k" + index % 4, data.toString(), "");
  }

  private static void labels(Svg svg, List<Series> series, PlotAxis x, PlotAxis y) {
    LabelPlaces places = new LabelPlaces(PlotFrame.LEFT, PlotFrame.WIDTH, PlotFrame.BOTTOM);
    for (Series s : series) {
      for (int i = 0; i < s.points().size(); i++) {
        Point p = s.points().get(i);
        places.point(x.at(p.x()), y.at(p.y()), RADIUS);
        if (i > 0) {
          Point last = s.points().get(i - 1);
          places.line(x.at(last.x()), y.at(last.y()), x.at(p.x()), y.at(p.y()));
        }
      }
    }
    for (int i = 0; i < series.size(); i++) {
      String css = "caption start l" + i % 4;
      for (Point p : series.get(i).points()) {
        places
            .take(p.label(), x.at(p.x()), y.at(p.y()))
            .ifPresent(place -> svg.text(css, place.x(), place.y(), p.label()));
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
}
