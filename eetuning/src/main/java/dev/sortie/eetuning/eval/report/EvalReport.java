package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.eval.EvalResults;
import dev.sortie.eetuning.eval.MeasurementError;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.task.TextMetrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** An evaluation's results as one HTML page, for people. */
public final class EvalReport {
  private EvalReport() {}

  /**
   * Writes {@code dir/report.html}, whole or not at all. The page needs no other file, no script
   * and no network. Names of models and tasks are escaped.
   *
   * @param dir a folder that exists
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  public static void write(Path dir, EvalResults r) {
    ReportPage.write(dir, page(r));
  }

  static String page(EvalResults r) {
    String header =
        """
        <header>
        <p class="kicker">Sortie</p>
        <h1>Evaluation of %s</h1>
        <p>%d layers, matrices in %s, %d threads.</p>
        </header>
        """
            .formatted(
                SafeText.html(r.model()),
                r.layers(),
                SafeText.html(r.run().dtype()),
                r.run().threads());
    String body =
        header
            + plots(r)
            + EvalTables.settings(r)
            + EvalTables.text(r)
            + r.oracle().map(o -> OracleSection.html(o, r.sets())).orElse("")
            + EvalTables.choices(r)
            + EvalTables.method(r);
    String css = r.oracle().map(o -> OracleSection.palette(o).css()).orElse("");
    return ReportPage.of("evaluation of " + r.model(), css, body);
  }

  private static String plots(EvalResults r) {
    if (r.settings().isEmpty()) {
      return "";
    }
    List<SweepPoint> points = r.settings().stream().map(EvalResults.Setting::point).toList();
    Map<SweepPoint, EvalResults.Setting> by = new IdentityHashMap<>();
    r.settings().forEach(s -> by.put(s.point(), s));
    List<String> svgs = new ArrayList<>();
    svgs.add(
        SweepPlots.quality(
                "quality",
                "Agreement against speed-up",
                points,
                SweepPlots.Quality.AGREEMENT,
                r.error())
            .inline());
    int number = 0;
    for (String task : r.tasks()) {
      svgs.add(
          plot("em" + number, task, "exact match", points, by, r.error(), TextMetrics::exactMatch));
      svgs.add(plot("f1-" + number, task, "F1", points, by, r.error(), TextMetrics::f1));
      svgs.add(plot("rl" + number, task, "ROUGE-L", points, by, r.error(), TextMetrics::rougeL));
      number++;
    }
    StringBuilder out = new StringBuilder();
    out.append("<section>\n<h2>Quality against speed</h2>\n");
    out.append("<p>Up and to the right is better. ")
        .append(SpeedText.error(r.error()))
        .append(" The grey band is the error. The number at a point is its threshold.</p>\n");
    for (int i = 0; i < svgs.size(); i += 2) {
      out.append("<div class=\"pair\">\n<section>\n").append(svgs.get(i)).append("</section>\n");
      if (i + 1 < svgs.size()) {
        out.append("<section>\n").append(svgs.get(i + 1)).append("</section>\n");
      }
      out.append("</div>\n");
    }
    return out.append("</section>\n").toString();
  }

  private static String plot(
      String id,
      String task,
      String metric,
      List<SweepPoint> points,
      Map<SweepPoint, EvalResults.Setting> by,
      MeasurementError error,
      ToDoubleFunction<TextMetrics> of) {
    SweepPlots.Quality quality =
        new SweepPlots.Quality(
            metric + ", " + SafeText.visibleLine(task),
            metric,
            1,
            0,
            p -> of.applyAsDouble(by.get(p).tasks().get(task)));
    return SweepPlots.quality(id, metric + " against speed-up", points, quality, error).inline();
  }
}
