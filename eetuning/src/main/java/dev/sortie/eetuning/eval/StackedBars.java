package dev.sortie.eetuning.eval;

import java.util.ArrayList;
import java.util.List;

/** Share of tokens per exit: a bar per setting, its parts from the shallow exits to the final. */
final class StackedBars {
  private static final double WIDTH = PlotFrame.WIDTH;
  private static final double LEFT = 62;
  private static final double RIGHT = WIDTH - 14;
  private static final double ROW = 32;
  private static final double BAR = 23;
  private static final double HEADING = 30;

  private record LegendItem(String key, double x, double y) {}

  private StackedBars() {}

  static Svg draw(String id, String title, List<SweepPoint> sweep, Palette palette) {
    List<SweepSeries> series =
        SweepSeries.of(sweep.stream().filter(p -> !p.activeExits().isEmpty()).toList());
    int rows = series.stream().mapToInt(s -> s.points().size()).sum();
    List<LegendItem> legend = legend(palette);
    double top = legend.getLast().y() + 8;
    double height = rows == 0 ? 120 : top + series.size() * HEADING + rows * ROW + 44;
    Svg svg = new Svg(id, title, describe(series), WIDTH, height);
    if (rows == 0) {
      PlotFrame.empty(svg, WIDTH, height);
      return svg;
    }
    for (LegendItem item : legend) {
      svg.rect("part f" + palette.index(item.key()), item.x(), item.y() - 13, 16, 16, "");
      svg.text("series ink start", item.x() + 22, item.y(), ExitKeys.label(item.key()));
    }
    double y = top;
    for (SweepSeries s : series) {
      y += HEADING;
      svg.text("name start", 6, y - 10, s.name() + ", by threshold");
      for (SweepPoint p : s.points()) {
        svg.text("tick end", LEFT - 8, y + BAR / 2 + 5, Figures.plain(p.threshold()));
        bar(svg, p, y, palette);
        y += ROW;
      }
    }
    for (int percent = 0; percent <= 100; percent += 25) {
      String anchor = percent == 100 ? "end" : percent == 0 ? "start" : "middle";
      svg.text("tick " + anchor, LEFT + (RIGHT - LEFT) * percent / 100, y + 14, percent + "%");
    }
    svg.text("name end", RIGHT, y + 36, "share of tokens");
    return svg;
  }

  private static void bar(Svg svg, SweepPoint p, double y, Palette palette) {
    double done = 0;
    for (var part : p.exits().entrySet()) {
      double share = part.getValue();
      double x = LEFT + (RIGHT - LEFT) * done;
      double width = (RIGHT - LEFT) * share;
      done += share;
      if (share == 0) {
        continue;
      }
      int colour = palette.index(part.getKey());
      svg.rect("part f" + colour, x, y, width, BAR, hint(part.getKey(), share));
      String text = Math.round(100 * share) + "%";
      if (width > text.length() * 10 + 8) {
        svg.text("inside middle o" + colour, x + width / 2, y + BAR / 2 + 5, text);
      }
    }
  }

  /** The legend in as many lines as it needs. */
  private static List<LegendItem> legend(Palette palette) {
    List<LegendItem> items = new ArrayList<>();
    double x = 6;
    double y = 18;
    for (String key : palette.keys()) {
      double width = 38 + ExitKeys.label(key).length() * 8.5;
      if (x + width > WIDTH) {
        x = 6;
        y += 24;
      }
      items.add(new LegendItem(key, x, y));
      x += width;
    }
    return items;
  }

  private static String hint(String key, double share) {
    return ExitKeys.label(key) + ": " + Figures.percent(share);
  }

  private static String describe(List<SweepSeries> series) {
    List<String> parts = new ArrayList<>();
    for (SweepSeries s : series) {
      for (SweepPoint p : s.points()) {
        List<String> shares = new ArrayList<>();
        p.exits().forEach((key, share) -> shares.add(hint(key, share)));
        parts.add(
            "%s, threshold %s: %s"
                .formatted(s.name(), Figures.plain(p.threshold()), String.join(", ", shares)));
      }
    }
    return parts.isEmpty() ? "Nothing was measured." : String.join("; ", parts) + ".";
  }
}
