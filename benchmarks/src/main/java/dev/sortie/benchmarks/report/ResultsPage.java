package dev.sortie.benchmarks.report;

import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.plot.RatioBars;
import dev.sortie.eetuning.plot.StyleSheets;
import dev.sortie.eetuning.plot.Svg;
import java.util.List;

/**
 * Recorded results as one HTML page that needs no other file: for each comparison and device the
 * newest run as bars, and all runs as a table.
 */
public final class ResultsPage {
  private ResultsPage() {}

  /** The page. */
  public static String of(List<Recorded> all) {
    StringBuilder body = new StringBuilder();
    int id = 0;
    for (Recorded r : Recorded.newest(all)) {
      body.append(section("bars" + id++, r));
    }
    return """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Sortie: benchmarks against peers</title>
    <style>
    %s%s</style>
    </head>
    <body>
    <main>
    <header>
    <h1>Sortie against its peers</h1>
    <p>Ratios of rates (or of times, the peer's by ours), both sides in turns in one run: above 1, Sortie is ahead.</p>
    </header>
    %s%s</main>
    </body>
    </html>
    """
        .formatted(StyleSheets.page(), StyleSheets.plot(), body, history(all));
  }

  private static String section(String id, Recorded r) {
    return """
    <section>
    <h2>%s: %s</h2>
    <p>Against %s, on %s, %s. %s, commit %s.</p>
    %s</section>
    """
        .formatted(
            SafeText.html(r.name()),
            r.geomean(),
            SafeText.html(r.peer()),
            SafeText.html(r.device()),
            SafeText.html(r.java()),
            SafeText.html(r.date()),
            SafeText.html(r.commit()),
            bars(id, r).inline());
  }

  /** The cases of a run. */
  static Svg bars(String id, Recorded r) {
    List<RatioBars.Bar> bars =
        r.cases().stream()
            .map(
                c ->
                    new RatioBars.Bar(
                        c.name(),
                        c.ratio(),
                        "%s: %s against %s %s".formatted(c.name(), c.ours(), c.peer(), c.unit())))
            .toList();
    return RatioBars.draw(id, r.name() + " against " + r.peer(), bars);
  }

  private static String history(List<Recorded> all) {
    StringBuilder rows = new StringBuilder();
    for (Recorded r : all) {
      rows.append(
          "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n"
              .formatted(
                  SafeText.html(r.date()),
                  SafeText.html(r.commit()),
                  SafeText.html(r.name()),
                  SafeText.html(r.device()),
                  r.geomean()));
    }
    return """
    <section>
    <h2>All runs</h2>
    <div class="scroll">
    <table>
    <thead><tr><th scope="col">date</th><th scope="col">commit</th><th scope="col">comparison</th>
    <th scope="col">device</th><th scope="col">geometric mean</th></tr></thead>
    <tbody>
    %s</tbody>
    </table>
    </div>
    </section>
    """
        .formatted(rows);
  }
}
