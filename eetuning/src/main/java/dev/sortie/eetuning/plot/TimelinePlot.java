package dev.sortie.eetuning.plot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What the stages of a pipeline do when: a row for each stage, in one panel or several. */
public final class TimelinePlot {
  private static final double WIDTH = 900;
  private static final double LEFT = 70;
  private static final double RIGHT = WIDTH - 14;
  private static final double ROW = 30;
  private static final double BAR = 22;
  private static final double LEGEND = 30;

  /**
   * Work of a stage.
   *
   * @param start in seconds
   * @param kind of work, which gives it its colour
   * @param label written inside where there is room; may be empty
   * @param hint a text that a pointer brings up
   */
  public record Bar(int stage, double start, double end, String kind, String label, String hint) {
    double seconds() {
      return end - start;
    }
  }

  /**
   * A timeline of all stages, as long as the others.
   *
   * @param name of it; empty where it is the only one
   */
  public record Panel(String name, List<Bar> bars) {
    private double start() {
      return bars.stream().mapToDouble(Bar::start).min().orElse(0);
    }

    private double seconds() {
      return bars.stream().mapToDouble(Bar::end).max().orElse(0) - start();
    }

    private double top() {
      return name.isEmpty() ? 4 : 34;
    }

    /** The share of the time in which each stage does something. */
    private String busy(int stages) {
      double[] busy = new double[stages];
      bars.forEach(b -> busy[b.stage] += b.seconds());
      List<String> shares = new ArrayList<>();
      for (double b : busy) {
        shares.add(String.format(Locale.ROOT, "%.0f %%", 100 * b / seconds()));
      }
      return String.join(", ", shares);
    }
  }

  private TimelinePlot() {}

  /**
   * Writes an SVG file, whole or not at all.
   *
   * @param kinds of work, in the order of the legend
   * @param panels one below the other, with a bar at least
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  public static void write(Path file, String title, List<String> kinds, List<Panel> panels) {
    Palette palette = new Palette(kinds);
    int stages =
        1 + panels.stream().flatMap(p -> p.bars.stream()).mapToInt(Bar::stage).max().orElseThrow();
    List<String> busy =
        panels.stream()
            .map(p -> (p.name.isEmpty() ? "busy" : p.name) + ": " + p.busy(stages))
            .toList();
    double height = LEGEND + 40;
    for (Panel p : panels) {
      height += p.top() + stages * ROW;
    }
    Svg svg = new Svg("timeline", title, String.join("; ", busy), WIDTH, height);
    double x = 6;
    for (String kind : kinds) {
      svg.rect("part f" + palette.index(kind), x, 5, 16, 16, "");
      svg.text("series ink start", x + 22, 18, kind);
      x += 120;
    }
    double y = LEGEND;
    for (Panel p : panels) {
      if (!p.name.isEmpty()) {
        svg.text("name start", 6, y + 20, p.name + ", busy " + p.busy(stages));
      }
      y += p.top();
      draw(svg, palette, p, stages, y);
      y += stages * ROW;
    }
    svg.text("tick start", LEFT, y + 16, "0");
    svg.text(
        "tick end",
        RIGHT,
        y + 16,
        String.format(Locale.ROOT, "%.2f s", panels.getLast().seconds()));
    svg.write(file, palette);
  }

  private static void draw(Svg svg, Palette palette, Panel panel, int stages, double top) {
    double begin = panel.start();
    double scale = (RIGHT - LEFT) / Math.max(1e-9, panel.seconds());
    for (int s = 0; s < stages; s++) {
      svg.text("tick end", LEFT - 8, top + s * ROW + BAR / 2 + 5, "stage " + s);
    }
    for (Bar b : panel.bars) {
      double x = LEFT + (b.start - begin) * scale;
      double y = top + b.stage * ROW;
      double width = b.seconds() * scale;
      int colour = palette.index(b.kind);
      svg.rect("part f" + colour, x, y, width, BAR, b.hint);
      if (!b.label.isEmpty() && width > b.label.length() * 9 + 4) {
        svg.text("inside middle o" + colour, x + width / 2, y + BAR / 2 + 5, b.label);
      }
    }
  }
}
