package dev.sortie.eetuning.plot;

import dev.sortie.eetuning.display.NumberText;
import java.util.List;

/** Ratios to a peer as bars from 1: to the right where we are ahead, to the left where not. */
public final class RatioBars {
  private static final double WIDTH = 720;
  private static final double ROW = 24;
  private static final double TOP = 20;
  private static final double LEFT = 260;
  private static final double RIGHT = WIDTH - 60;
  private static final int MOST_DOUBLINGS = 4;

  /**
   * One bar.
   *
   * @param label what was compared
   * @param ratio above 0
   * @param hint a text that a pointer brings up
   */
  public record Bar(String label, double ratio, String hint) {
    /** Ratios are positive. */
    public Bar {
      if (!(ratio > 0 && Double.isFinite(ratio))) {
        throw new IllegalArgumentException("the ratio of " + label + " is " + ratio);
      }
    }
  }

  private RatioBars() {}

  /**
   * The drawing. The axis is logarithmic, so that twice as fast and half as fast are equally long.
   *
   * @param id unique in the page
   * @param title read out in place of the picture
   */
  public static Svg draw(String id, String title, List<Bar> bars) {
    double height = TOP + ROW * bars.size() + 34;
    Svg svg = new Svg(id, title, describe(bars), WIDTH, height);
    int doublings = doublings(bars);
    PlotAxis axis = new PlotAxis(-doublings, doublings, 1, LEFT, RIGHT);
    double bottom = TOP + ROW * bars.size() + 4;
    for (int tick = -doublings; tick <= doublings; tick++) {
      double x = axis.at(tick);
      svg.line(tick == 0 ? "axis" : "grid", x, TOP - 6, x, bottom);
      svg.text("tick middle", x, bottom + 20, NumberText.plain(Math.pow(2, tick)));
    }
    for (int i = 0; i < bars.size(); i++) {
      bar(svg, axis, bars.get(i), TOP + ROW * i);
    }
    return svg;
  }

  private static void bar(Svg svg, PlotAxis axis, Bar bar, double y) {
    double one = axis.at(0);
    double end = axis.at(log2(bar.ratio));
    String css = bar.ratio >= 1 ? "part k2" : "part k1";
    svg.rect(css, Math.min(one, end), y, Math.abs(end - one), ROW - 8, bar.hint);
    svg.text("label end", LEFT - 12, y + ROW - 11, bar.label);
    svg.text("tick start", RIGHT + 10, y + ROW - 11, NumberText.fixed(bar.ratio, 2));
  }

  /** Half the axis: enough for the longest bar, within reason. */
  private static int doublings(List<Bar> bars) {
    double most = bars.stream().mapToDouble(b -> Math.abs(log2(b.ratio))).max().orElse(1);
    return Math.clamp((long) Math.ceil(most), 1, MOST_DOUBLINGS);
  }

  /** Within the axis: a longer bar ends with it, its figure stands at the margin. */
  private static double log2(double ratio) {
    return Math.clamp(Math.log(ratio) / Math.log(2), -MOST_DOUBLINGS, MOST_DOUBLINGS);
  }

  private static String describe(List<Bar> bars) {
    StringBuilder text = new StringBuilder();
    bars.forEach(
        b -> text.append(b.label).append(": ").append(NumberText.fixed(b.ratio, 2)).append(". "));
    return text.isEmpty() ? "Nothing was measured." : text.toString().strip();
  }
}
