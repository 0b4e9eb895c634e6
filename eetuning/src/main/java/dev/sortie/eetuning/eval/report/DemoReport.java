package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.Technique;
import dev.sortie.eetuning.plot.LossPlot;
import dev.sortie.eetuning.plot.Palette;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The demo's results as one HTML page, for people. */
public final class DemoReport {
  private DemoReport() {}

  /** Writes {@code dir/report.html} for results of {@code ./sortie demo}; the folder exists. */
  public static void write(Path dir, DemoResults r) {
    write(dir, r, "./sortie demo");
  }

  /**
   * Writes {@code dir/report.html}, whole or not at all. The page needs no other file, no script
   * and no network. All texts of the model are escaped.
   *
   * @param dir a folder that exists
   * @param command the command line that gave the results
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  public static void write(Path dir, DemoResults r, String command) {
    ReportPage.write(dir, page(r, command));
  }

  static String page(DemoResults r, String command) {
    Palette palette = new Palette(r.exitKeys());
    String body =
        DemoTables.headline(r)
            + plots(r, palette)
            + DemoSamples.section(r, palette)
            + DemoTables.sweep(r)
            + DemoTables.method(r, command);
    return ReportPage.of("early exits on " + r.model(), palette.css(), body);
  }

  private static String plots(DemoResults r, Palette palette) {
    List<LossPlot.Series> lines = new ArrayList<>();
    r.losses()
        .forEach(
            (depth, points) -> {
              String key = Integer.toString(depth);
              lines.add(new LossPlot.Series(ExitKeys.label(key), palette.index(key), points));
            });
    // with drafts each token leaves where it leaves without
    List<SweepPoint> undrafted =
        r.sweep().stream().filter(p -> p.technique() != Technique.BOTH).toList();
    return """
    <div class="pair">
    <section>
    <h2>Quality against speed</h2>
    <p>Up and to the right is better. A lower threshold lets more tokens leave early:
    faster, less like full depth. The number at a point is its threshold. <code>early-exit</code>
    is by exits alone, <code>ready-exits</code> by those that come with the model,
    <code>speculative</code> by drafts alone, <code>+prompt-lookup</code> by both. What lies in
    the grey band is within the error of the measurement.</p>
    %s</section>
    <section>
    <h2>Where tokens leave</h2>
    <p>Share of the tokens that each exit decided. A low threshold uses the shallow exits.</p>
    %s</section>
    </div>
    <section>
    <h2>How the exits learned</h2>
    <p>Training loss of each exit. The backbone is frozen; the exits are all that is trained.</p>
    <div class="with-side">
    %s%s</div>
    </section>
    """
        .formatted(
            SweepPlots.quality(
                    "quality",
                    "Agreement against speed-up",
                    r.sweep(),
                    SweepPlots.Quality.AGREEMENT,
                    r.error())
                .inline(),
            SweepPlots.shares("shares", "Share of tokens per exit", undrafted, palette).inline(),
            LossPlot.draw("losses", "Loss per exit over the steps", lines).inline(),
            DemoTables.validation(r));
  }
}
