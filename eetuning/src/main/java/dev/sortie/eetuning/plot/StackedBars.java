package dev.sortie.eetuning.plot;

import dev.sortie.eetuning.display.NumberText;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/** Shares of a whole: a bar for each setting, its parts in the colours of a palette. */
public final class StackedBars {
  private static final double WIDTH = PlotFrame.WIDTH;
  private static final double LEFT = 62;
  private static final double RIGHT = WIDTH - 14;
  private static final double ROW = 32;
  private static final double BAR = 23;
  private static final double HEADING = 30;

  private record LegendItem(String key, double x, double y) {}

  private StackedBars() {}

  /**
   * A bar.
   *
   * @param label before it
   * @param shares by key of the palette, in order; they sum to 1
   */
  public record Bar(String label, SequencedMap<String, Double> shares) {}

  /** Bars below a heading. */
  public record Group(String heading, List<Bar> bars) {}

  /**
   * The drawing.
   *
   * @param id unique in the page
   * @param title read out in place of the picture
   * @param description what the picture says, for those who do not see it
   * @param unit what the shares are of
   * @param label how people read a key of the palette
   */
  public static Svg draw(
      String id,
      String title,
      String description,
      List<Group> groups,
      String unit,
      Palette palette,
      UnaryOperator<String> label) {
    int rows = groups.stream().mapToInt(g -> g.bars().size()).sum();
    List<LegendItem> legend = legend(palette, label);
    double top = legend.getLast().y() + 8;
    double height = rows == 0 ? 120 : top + groups.size() * HEADING + rows * ROW + 44;
    Svg svg = new Svg(id, title, description, WIDTH, height);
    if (rows == 0) {
      PlotFrame.empty(svg, WIDTH, height);
      return svg;
    }
    for (LegendItem item : legend) {
      svg.rect("part f" + palette.index(item.key()), item.x(), item.y() - 13, 16, 16, "");
      svg.text("series ink start", item.x() + 22, item.y(), label.apply(item.key()));
    }
    double y = top;
    for (Group g : groups) {
      y += HEADING;
      svg.text("name start", 6, y - 10, g.heading());
      for (Bar bar : g.bars()) {
        svg.text("tick end", LEFT - 8, y + BAR / 2 + 5, bar.label());
        draw(svg, bar, y, palette, label);
        y += ROW;
      }
    }
    for (int percent = 0; percent <= 100; percent += 25) {
      String anchor = percent == 100 ? "end" : percent == 0 ? "start" : "middle";
      svg.text("tick " + anchor, LEFT + (RIGHT - LEFT) * percent / 100, y + 14, percent + "%");
    }
    svg.text("name end", RIGHT, y + 36, unit);
    return svg;
  }

  private static void draw(
      Svg svg, Bar bar, double y, Palette palette, UnaryOperator<String> label) {
    double done = 0;
    for (var part : bar.shares().entrySet()) {
      double share = part.getValue();
      double x = LEFT + (RIGHT - LEFT) * done;
      double width = (RIGHT - LEFT) * share;
      done += share;
      if (share == 0) {
        continue;
      }
      int colour = palette.index(part.getKey());
      String hint = label.apply(part.getKey()) + ": " + NumberText.percent(share);
      svg.rect("part f" + colour, x, y, width, BAR, hint);
      String text = Math.round(100 * share) + "%";
      if (width > text.length() * 10 + 8) {
        svg.text("inside middle o" + colour, x + width / 2, y + BAR / 2 + 5, text);
      }
    }
  }

  /** The legend in as many lines as it needs. */
  private static List<LegendItem> legend(Palette palette, UnaryOperator<String> label) {
    List<LegendItem> items = new ArrayList<>();
    double x = 6;
    double y = 18;
    for (String key : palette.keys()) {
      double width = 38 + label.apply(key).length() * 8.5;
      if (x + width > WIDTH) {
        x = 6;
        y += 24;
      }
      items.add(new LegendItem(key, x, y));
      x += width;
    }
    return items;
  }
}
