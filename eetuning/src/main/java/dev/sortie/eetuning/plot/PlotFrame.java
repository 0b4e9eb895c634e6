package dev.sortie.eetuning.plot;

import dev.sortie.eetuning.display.NumberText;

/** What the plots with two axes share: size, grid, ticks, names of the axes. */
public final class PlotFrame {
  static final double WIDTH = 540;
  static final double HEIGHT = 350;
  static final double LEFT = 62;
  static final double TOP = 40;
  static final double BOTTOM = HEIGHT - 56;

  private PlotFrame() {}

  /** Draws the frame; ticks are written as {@code unit} after the value times {@code factor}. */
  static void draw(Svg svg, PlotAxis x, PlotAxis y, Names names) {
    for (double tick : y.ticks()) {
      svg.line("grid", x.from(), y.at(tick), x.to(), y.at(tick));
      svg.text(
          "tick end", x.from() - 8, y.at(tick) + 5, label(tick, y, names.yFactor(), names.yUnit()));
    }
    for (double tick : x.ticks()) {
      svg.line("mark", x.at(tick), y.from(), x.at(tick), y.from() + 5);
      svg.text("tick middle", x.at(tick), y.from() + 22, label(tick, x, 1, names.xUnit()));
    }
    svg.line("axis", x.from(), y.from(), x.to(), y.from());
    svg.text("name end", x.to(), HEIGHT - 8, names.x());
    svg.text("name start", 6, 18, names.y());
  }

  /** Says in place of a plot that there is nothing to draw. */
  static void empty(Svg svg, double width, double height) {
    svg.text("name middle", width / 2, height / 2, "Nothing was measured.");
  }

  private static String label(double tick, PlotAxis axis, double factor, String unit) {
    int decimals = Math.max(0, axis.decimals() - (int) Math.round(Math.log10(factor)));
    String text = NumberText.fixed(tick * factor, decimals);
    return (Double.parseDouble(text.replace(",", "")) == 0 ? text.replace("-", "") : text) + unit;
  }

  /**
   * Names of the axes.
   *
   * @param yFactor what a y value is multiplied with before it is written, such as 100 for percent
   */
  public record Names(String x, String xUnit, String y, double yFactor, String yUnit) {}
}
