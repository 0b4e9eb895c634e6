package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.pipeline.StageTime;
import dev.sortie.eetuning.decode.pipeline.StageTime.Work;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What the stages of a decoding pipeline did when, as measured. */
public final class StagesPlot {
  private static final double WIDTH = 900;
  private static final double LEFT = 70;
  private static final double RIGHT = WIDTH - 14;
  private static final double TOP = 34;
  private static final double ROW = 30;
  private static final double BAR = 22;

  private StagesPlot() {}

  /**
   * Writes an SVG file, whole or not at all.
   *
   * @param times of all stages, at least one
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  public static void write(Path file, String title, List<StageTime> times) {
    Palette palette = new Palette(Arrays.stream(Work.values()).map(StagesPlot::word).toList());
    int stages = 1 + times.stream().mapToInt(StageTime::stage).max().orElseThrow();
    double begin = times.stream().mapToDouble(StageTime::start).min().orElseThrow();
    double end = times.stream().mapToDouble(StageTime::end).max().orElseThrow();
    double scale = (RIGHT - LEFT) / Math.max(1e-9, end - begin);
    Svg svg =
        new Svg("stages", title, busy(times, stages, end - begin), WIDTH, TOP + stages * ROW + 30);
    double x = 6;
    for (String key : palette.keys()) {
      svg.rect("part f" + palette.index(key), x, 5, 16, 16, "");
      svg.text("series ink start", x + 22, 18, key);
      x += 120;
    }
    for (int s = 0; s < stages; s++) {
      svg.text("tick end", LEFT - 8, TOP + s * ROW + BAR / 2 + 5, "stage " + s);
    }
    for (StageTime t : times) {
      String hint =
          String.format(
              Locale.ROOT,
              "stage %d, %s, %d rows: %.1f ms",
              t.stage(),
              word(t.work()),
              t.rows(),
              1e3 * (t.end() - t.start()));
      svg.rect(
          "part f" + palette.index(word(t.work())),
          LEFT + (t.start() - begin) * scale,
          TOP + t.stage() * ROW,
          (t.end() - t.start()) * scale,
          BAR,
          hint);
    }
    double y = TOP + stages * ROW + 16;
    svg.text("tick start", LEFT, y, "0");
    svg.text("tick end", RIGHT, y, String.format(Locale.ROOT, "%.2f s", end - begin));
    svg.write(file, ReportStyle.plot() + palette.css());
  }

  private static String word(Work work) {
    return work.name().toLowerCase(Locale.ROOT);
  }

  /** The share of the time in which each stage does something. */
  private static String busy(List<StageTime> times, int stages, double seconds) {
    double[] busy = new double[stages];
    times.forEach(t -> busy[t.stage()] += t.end() - t.start());
    StringBuilder text = new StringBuilder("busy: ");
    for (int s = 0; s < stages; s++) {
      text.append(
          String.format(Locale.ROOT, "%s%.0f %%", s == 0 ? "" : ", ", 100 * busy[s] / seconds));
    }
    return text.toString();
  }
}
