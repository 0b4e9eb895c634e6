package dev.sortie.eetuning.plot;

import dev.sortie.eetuning.display.NumberText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/** Losses over steps, a line for each series with its name at the line's end. */
public final class LossPlot {
  /**
   * More points than this are averaged in groups: a screen shows no more, and noise hides trends.
   */
  private static final int MOST_POINTS = 240;

  private static final double LABEL_DISTANCE = 18;

  /**
   * A loss at a step.
   *
   * @param step optimiser steps done, 0 or more
   * @param loss mean loss, nats per token; finite
   */
  public record Point(int step, double loss) {
    public Point {
      if (step < 0) {
        throw new IllegalArgumentException("loss step is " + step + ", expected at least 0");
      }
      if (!Double.isFinite(loss)) {
        throw new IllegalArgumentException(
            "loss at step " + step + " is " + loss + ", expected a finite number");
      }
    }

    /** A run's losses, that of each step in order, as the points of a curve from step 1 on. */
    public static List<Point> series(List<Double> losses) {
      return IntStream.range(0, losses.size())
          .mapToObj(i -> new Point(i + 1, losses.get(i)))
          .toList();
    }
  }

  /**
   * One line.
   *
   * @param label its name
   * @param colour index in the palette
   */
  public record Series(String label, int colour, List<Point> points) {}

  private record EndLabel(Series series, double x, double y) {}

  private LossPlot() {}

  /**
   * Writes an SVG file, whole or not at all; name it {@code *.svg}. It follows the viewer's light
   * or dark colour scheme and needs no font of its own. Series may be empty.
   *
   * @param series losses per name, such as "exit 3" and "final", in the order of the colours: light
   *     first
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  public static void write(Path file, SequencedMap<String, List<Point>> series, String title) {
    Palette palette = new Palette(List.copyOf(series.keySet()));
    List<Series> lines = new ArrayList<>();
    series.forEach(
        (name, points) -> lines.add(new Series(name, palette.index(name), List.copyOf(points))));
    draw("loss", title, lines).write(file, palette);
  }

  /**
   * The drawing.
   *
   * @param id unique in the page
   * @param title read out in place of the picture
   */
  public static Svg draw(String id, String title, List<Series> series) {
    Svg svg = new Svg(id, title, describe(series), PlotFrame.WIDTH, PlotFrame.HEIGHT);
    List<Point> all = series.stream().flatMap(s -> thin(s.points()).stream()).toList();
    if (all.isEmpty()) {
      PlotFrame.empty(svg, PlotFrame.WIDTH, PlotFrame.HEIGHT);
      return svg;
    }
    double right = PlotFrame.WIDTH - 96;
    PlotAxis x = stepAxis(all, right);
    PlotAxis y =
        PlotAxis.around(
            all.stream().mapToDouble(Point::loss).min().orElseThrow(),
            all.stream().mapToDouble(Point::loss).max().orElseThrow(),
            5,
            PlotFrame.BOTTOM,
            PlotFrame.TOP);
    PlotFrame.draw(svg, x, y, new PlotFrame.Names("step", "", "loss, nats per token", 1, ""));
    List<EndLabel> labels = new ArrayList<>();
    for (Series s : series) {
      if (!s.points().isEmpty()) {
        labels.add(line(svg, s, x, y));
      }
    }
    for (EndLabel label : spread(labels)) {
      svg.text(
          "series start f" + label.series().colour(),
          label.x() + 9,
          label.y() + 5,
          label.series().label());
    }
    return svg;
  }

  /** Steps from 0 to the last; the end is no tick, or a line might stop far before it. */
  private static PlotAxis stepAxis(List<Point> all, double right) {
    int last = Math.max(5, all.stream().mapToInt(Point::step).max().orElseThrow());
    return new PlotAxis(0, last, PlotAxis.roundStep(last / 5.0), PlotFrame.LEFT, right);
  }

  private static EndLabel line(Svg svg, Series s, PlotAxis x, PlotAxis y) {
    List<Point> points = thin(s.points());
    StringBuilder data = new StringBuilder();
    for (Point p : points) {
      data.append(data.isEmpty() ? 'M' : 'L');
      data.append(Svg.px(x.at(p.step()))).append(' ').append(Svg.px(y.at(p.loss())));
    }
    Point last = points.getLast();
    double endX = x.at(last.step());
    double endY = y.at(last.loss());
    svg.path("line s" + s.colour(), data.toString(), "");
    svg.path(
        "dot f" + s.colour(),
        Marker.CIRCLE.path(endX, endY, 4),
        "%s, step %s: %s".formatted(s.label(), last.step(), NumberText.fixed(last.loss(), 3)));
    return new EndLabel(s, endX, endY);
  }

  /** Moves labels that would overlap down, then all up again as far as they left the plot. */
  private static List<EndLabel> spread(List<EndLabel> labels) {
    List<EndLabel> sorted =
        labels.stream().sorted(Comparator.comparingDouble(EndLabel::y)).toList();
    List<EndLabel> spread = new ArrayList<>();
    double free = PlotFrame.TOP;
    for (EndLabel label : sorted) {
      double y = Math.max(label.y(), free);
      spread.add(new EndLabel(label.series(), label.x(), y));
      free = y + LABEL_DISTANCE;
    }
    double bottom = PlotFrame.BOTTOM;
    for (int i = spread.size() - 1; i >= 0; i--) {
      EndLabel label = spread.get(i);
      double y = Math.min(label.y(), bottom);
      spread.set(i, new EndLabel(label.series(), label.x(), y));
      bottom = y - LABEL_DISTANCE;
    }
    return spread;
  }

  /** Means of equal groups of neighbours, each at its last step; few points stay as they are. */
  static List<Point> thin(List<Point> points) {
    if (points.size() <= MOST_POINTS) {
      return points;
    }
    List<Point> means = new ArrayList<>();
    for (int group = 0; group < MOST_POINTS; group++) {
      int from = (int) ((long) points.size() * group / MOST_POINTS);
      int to = (int) ((long) points.size() * (group + 1) / MOST_POINTS);
      List<Point> part = points.subList(from, to);
      double mean = part.stream().mapToDouble(Point::loss).average().orElseThrow();
      means.add(new Point(part.getLast().step(), mean));
    }
    return means;
  }

  private static String describe(List<Series> series) {
    List<String> parts = new ArrayList<>();
    for (Series s : series) {
      if (!s.points().isEmpty()) {
        Point first = s.points().getFirst();
        Point last = s.points().getLast();
        parts.add(
            "%s: loss %s at step %s, %s at step %s"
                .formatted(
                    s.label(),
                    NumberText.fixed(first.loss(), 3),
                    first.step(),
                    NumberText.fixed(last.loss(), 3),
                    last.step()));
      }
    }
    return parts.isEmpty() ? "Nothing was measured." : String.join("; ", parts) + ".";
  }
}
