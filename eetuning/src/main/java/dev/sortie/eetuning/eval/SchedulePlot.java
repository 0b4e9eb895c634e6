package dev.sortie.eetuning.eval;

import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.ComputationType;
import dev.sortie.parallel.pipeline.Timed;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** What the stages of a pipeline do when: as planned, and as measured below it. */
public final class SchedulePlot {
  private static final double WIDTH = 900;
  private static final double LEFT = 70;
  private static final double RIGHT = WIDTH - 14;
  private static final double ROW = 30;
  private static final double BAR = 22;
  private static final double HEADING = 34;

  private SchedulePlot() {}

  /**
   * Writes an SVG file, whole or not at all.
   *
   * @param planned actions of all stages, of the length that the measured ones have
   * @param measured actions of all stages
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  public static void write(Path file, String title, List<Timed> planned, List<Timed> measured) {
    Palette palette =
        new Palette(
            planned.stream()
                .map(t -> t.action().type())
                .distinct()
                .sorted()
                .map(ComputationType::name)
                .toList());
    int stages = 1 + planned.stream().mapToInt(Timed::stage).max().orElse(0);
    double height = 2 * (HEADING + stages * ROW) + 70;
    String text = "planned: " + busy(planned, stages) + "; measured: " + busy(measured, stages);
    Svg svg = new Svg("schedule", title, text, WIDTH, height);
    legend(svg, palette);
    double y = 30;
    for (boolean plan : new boolean[] {true, false}) {
      List<Timed> times = plan ? planned : measured;
      svg.text(
          "name start",
          6,
          y + 20,
          (plan ? "planned, busy " : "measured, busy ") + busy(times, stages));
      y += HEADING;
      draw(svg, palette, times, stages, y);
      y += stages * ROW;
    }
    double seconds = length(measured);
    svg.text("tick start", LEFT, y + 16, "0");
    svg.text("tick end", RIGHT, y + 16, String.format(Locale.ROOT, "%.2f s", seconds));
    svg.write(file, ReportStyle.plot() + palette.css());
  }

  private static void legend(Svg svg, Palette palette) {
    double x = 6;
    for (String key : palette.keys()) {
      svg.rect("part f" + palette.index(key), x, 5, 16, 16, "");
      svg.text("series ink start", x + 22, 18, word(key));
      x += 120;
    }
  }

  private static void draw(Svg svg, Palette palette, List<Timed> times, int stages, double top) {
    double begin = start(times);
    double scale = (RIGHT - LEFT) / Math.max(1e-9, length(times));
    for (int s = 0; s < stages; s++) {
      svg.text("tick end", LEFT - 8, top + s * ROW + BAR / 2 + 5, "stage " + s);
    }
    for (Timed t : times) {
      double x = LEFT + (t.start() - begin) * scale;
      double y = top + t.stage() * ROW;
      double width = (t.end() - t.start()) * scale;
      int colour = palette.index(t.action().type().name());
      String number = number(t.action());
      String hint =
          String.format(
              Locale.ROOT,
              "stage %d, %s %s: %.1f ms",
              t.stage(),
              word(t.action().type().name()),
              number,
              1e3 * (t.end() - t.start()));
      svg.rect("part f" + colour, x, y, width, BAR, hint);
      if (width > number.length() * 9 + 4) {
        svg.text("inside middle o" + colour, x + width / 2, y + BAR / 2 + 5, number);
      }
    }
  }

  /** Micro-batch, and which of the stage's chunks where it is not the first: 3, 3b, 3c. */
  private static String number(Action action) {
    String chunk = action.chunk() == 0 ? "" : String.valueOf((char) ('a' + action.chunk()));
    return action.microBatch() + chunk;
  }

  private static String word(String work) {
    return work.toLowerCase(Locale.ROOT);
  }

  private static double start(List<Timed> times) {
    return times.stream().mapToDouble(Timed::start).min().orElse(0);
  }

  private static double length(List<Timed> times) {
    return times.stream().mapToDouble(Timed::end).max().orElse(0) - start(times);
  }

  /** The share of the time in which each stage does something. */
  private static String busy(List<Timed> times, int stages) {
    StringBuilder text = new StringBuilder();
    for (int s = 0; s < stages; s++) {
      int stage = s;
      double work =
          times.stream()
              .filter(t -> t.stage() == stage)
              .mapToDouble(t -> t.end() - t.start())
              .sum();
      text.append(
          String.format(Locale.ROOT, "%s%.0f %%", s == 0 ? "" : ", ", 100 * work / length(times)));
    }
    return text.toString();
  }
}
