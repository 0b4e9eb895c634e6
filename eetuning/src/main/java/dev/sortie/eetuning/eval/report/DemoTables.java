package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.Machine;
import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.SweepPoint;
import java.util.Optional;
import java.util.stream.Collectors;

/** The report's figures and tables. */
final class DemoTables {
  private DemoTables() {}

  /** The speed-up and, as large, what it costs. */
  static String headline(DemoResults r) {
    String model =
        "%s: %s layers, hidden size %s, vocabulary %s, %s parameters"
            .formatted(
                r.model(),
                r.layers(),
                NumberText.fixed(r.hidden(), 0),
                NumberText.fixed(r.vocab(), 0),
                NumberText.count(r.parameters()));
    StringBuilder out = new StringBuilder();
    out.append("<header>\n<p class=\"kicker\">Sortie</p>\n<h1>Early exits on ")
        .append(SafeText.html(r.model()))
        .append("</h1>\n<p>")
        .append(SafeText.html(model))
        .append(".</p>\n</header>\n");
    Optional<SweepPoint> best = r.headline();
    if (best.isEmpty()) {
      out.append("<p>No setting with early exits was measured.</p>\n");
      return out.toString();
    }
    SweepPoint p = best.get();
    out.append("<div class=\"cards\">\n");
    card(
        out,
        "gain",
        NumberText.fixed(p.speedup(), 2) + "×",
        "decode speed over full depth",
        speeds(r, p));
    card(
        out,
        "price",
        NumberText.percent(p.agreement()),
        "agreement",
        "tokens that full depth chooses too");
    card(
        out,
        "price",
        NumberText.fixed(p.meanDepth(), 1) + " <small>of " + r.layers() + "</small>",
        "mean depth",
        "layers until a token is decided");
    out.append("</div>\n<p class=\"rule\">").append(rule(p)).append("</p>\n");
    return out.toString();
  }

  private static String speeds(DemoResults r, SweepPoint p) {
    return "%s tokens/s, full depth %s"
        .formatted(
            NumberText.fixed(p.decodeTokensPerSecond(), 0),
            NumberText.fixed(r.fullDepthTokensPerSecond(), 0));
  }

  private static String rule(SweepPoint p) {
    String setting =
        SafeText.html(
            "%s at threshold %s".formatted(p.strategy(), NumberText.plain(p.threshold())));
    String least = Math.round(100 * DemoResults.HEADLINE_AGREEMENT) + "%";
    String choice =
        p.agreement() >= DemoResults.HEADLINE_AGREEMENT
            ? "the fastest setting that agrees with full depth on at least "
                + least
                + " of the tokens."
            : "no setting agrees on at least " + least + " of the tokens; this one agrees most.";
    return "Shown: <strong>"
        + setting
        + "</strong>, "
        + choice
        + (p.speedup() < 1 ? " It is slower than full depth." : "");
  }

  private static void card(
      StringBuilder out, String css, String figure, String name, String detail) {
    out.append(
"""
<div class="card %s">
<p class="figure">%s</p>
<p class="what">%s</p>
<p class="detail">%s</p>
</div>
"""
            .formatted(css, figure, name, detail));
  }

  /** Validation loss per exit; empty without figures. */
  static String validation(DemoResults r) {
    if (r.validation().isEmpty()) {
      return "";
    }
    StringBuilder out =
        new StringBuilder(
            "<table class=\"small\">\n<caption>Validation loss, nats per token</caption>\n");
    out.append(
        "<thead><tr><th scope=\"col\">exit after layer</th><th"
            + " scope=\"col\">loss</th></tr></thead>\n"
            + "<tbody>\n");
    r.validation()
        .forEach(
            (depth, loss) ->
                out.append(
                    "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n"
                        .formatted(depth, NumberText.fixed(loss, 3))));
    return out.append("</tbody>\n</table>\n").toString();
  }

  /** Every point of the sweep in figures. */
  static String sweep(DemoResults r) {
    StringBuilder out =
        new StringBuilder(
            """
            <section>
            <h2>All settings</h2>
            <div class="scroll" role="region" aria-label="Table of all settings" tabindex="0">
            <table>
            <thead><tr>
            <th scope="col">strategy</th>
            <th scope="col">threshold</th>
            <th scope="col">exits</th>
            <th scope="col">tokens/s</th>
            <th scope="col">speed-up</th>
            <th scope="col">agreement</th>
            <th scope="col">mean depth</th>
            </tr></thead>
            <tbody>
            """);
    for (SweepPoint p : r.sweep()) {
      String exits =
          p.activeExits().isEmpty()
              ? "none"
              : p.activeExits().stream().map(String::valueOf).collect(Collectors.joining(", "));
      out.append(
"""
<tr%s><th scope="row">%s</th><td>%s</td><td>%s</td>
<td>%s</td><td>%s×</td><td>%s</td><td>%s</td></tr>
"""
              .formatted(
                  r.headline().filter(p::equals).isPresent() ? " class=\"shown\"" : "",
                  SafeText.html(p.strategy()),
                  p.activeExits().isEmpty() ? "–" : NumberText.plain(p.threshold()),
                  exits,
                  NumberText.fixed(p.decodeTokensPerSecond(), 1),
                  NumberText.fixed(p.speedup(), 2),
                  NumberText.percent(p.agreement()),
                  NumberText.fixed(p.meanDepth(), 2)));
    }
    return out.append("</tbody>\n</table>\n</div>\n</section>\n").toString();
  }

  /** Machine, date, command, and what the words mean. */
  static String method(DemoResults r, String command) {
    Machine m = r.machine();
    return """
    <section>
    <h2>How it was measured</h2>
    <dl>
    <dt>Command</dt><dd><code>%s</code></dd>
    <dt>Date</dt><dd>%s</dd>
    <dt>Processor</dt><dd>%s, %s %s</dd>
    <dt>Java</dt><dd>%s</dd>
    <dt>Kernels</dt><dd>%s</dd>
    <dt>Speed-up</dt><dd>decode tokens per second over those of full depth,
    in the same run; the prompt's pass is not counted</dd>
    <dt>Agreement</dt><dd>share of tokens that are what full depth chooses</dd>
    <dt>Mean depth</dt><dd>mean number of layers after which a token was decided</dd>
    </dl>
    <p>The same figures for programs: <code>results.json</code> beside this page.</p>
    </section>
    """
        .formatted(
            SafeText.html(command),
            SafeText.html(m.date()),
            SafeText.html(m.cpu()),
            m.cores(),
            m.cores() == 1 ? "core" : "cores",
            SafeText.html(m.java()),
            SafeText.html(m.kernels()));
  }
}
