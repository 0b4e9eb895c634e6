package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.MeasurementError.Verdict;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.Technique;
import dev.sortie.eetuning.host.Machine;
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
    Verdict verdict = r.error().verdict(p.speedup());
    out.append("<div class=\"cards\">\n");
    card(
        out,
        verdict == Verdict.GAIN ? "gain" : "",
        NumberText.fixed(p.speedup(), 2) + "×",
        verdict == Verdict.WITHIN
            ? "no gain: within the error of the measurement"
            : "decode speed over full depth",
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
    out.append("</div>\n<p class=\"rule\">").append(rule(p, verdict)).append("</p>\n");
    out.append("<p class=\"rule\">").append(SpeedText.error(r.error())).append("</p>\n");
    return out.append(techniques(r)).toString();
  }

  private static String speeds(DemoResults r, SweepPoint p) {
    return "%s tokens/s, full depth %s"
        .formatted(
            NumberText.fixed(p.decodeTokensPerSecond(), 0),
            NumberText.fixed(r.fullDepthTokensPerSecond(), 0));
  }

  private static String rule(SweepPoint p, Verdict verdict) {
    String setting =
        SafeText.html(
            "%s at threshold %s".formatted(p.strategy(), NumberText.plain(p.threshold())));
    String least = Math.round(100 * DemoResults.HEADLINE_AGREEMENT) + "%";
    String choice =
        p.agreement() >= DemoResults.HEADLINE_AGREEMENT
            ? "the fastest setting with exits alone that agrees with full depth on at least "
                + least
                + " of the tokens."
            : "no setting with exits alone agrees on at least "
                + least
                + " of the tokens; this one agrees most.";
    return "Shown: <strong>"
        + setting
        + "</strong>, "
        + choice
        + (verdict == Verdict.LOSS ? " It is slower than full depth." : "");
  }

  /** Each technique by its best setting. */
  private static String techniques(DemoResults r) {
    StringBuilder rows = new StringBuilder();
    for (Technique technique : Technique.FASTER) {
      r.best(technique).ifPresent(p -> rows.append(row(technique.label(), p, r)));
    }
    return """
    <section>
    <h2>Exits, drafts, and both</h2>
    <p>The fastest setting of each kind that agrees with full depth on at least %s%% of the tokens; the
    one that agrees most where none does. Drafts come from the text itself and change no token.
    Ready exits are those that come with the model.</p>
    %s</section>
    """
        .formatted(
            Math.round(100 * DemoResults.HEADLINE_AGREEMENT),
            table("exits, drafts and both", rows.toString()));
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
    StringBuilder rows = new StringBuilder();
    r.sweep().forEach(p -> rows.append(row(p.technique().label(), p, r)));
    return "<section>\n<h2>All settings</h2>\n"
        + table("all settings", rows.toString())
        + "</section>\n";
  }

  private static String table(String name, String rows) {
    return """
    <div class="scroll" role="region" aria-label="Table of %s" tabindex="0">
    <table>
    <thead><tr>
    <th scope="col">by</th>
    <th scope="col">exits</th>
    <th scope="col">threshold</th>
    <th scope="col">tokens/s</th>
    <th scope="col">speed-up</th>
    <th scope="col">verdict</th>
    <th scope="col">agreement</th>
    <th scope="col">mean depth</th>
    </tr></thead>
    <tbody>
    %s</tbody>
    </table>
    </div>
    """
        .formatted(name, rows);
  }

  private static String row(String name, SweepPoint p, DemoResults r) {
    boolean exits = !p.activeExits().isEmpty();
    return """
    <tr%s><th scope="row">%s</th><td>%s</td><td>%s</td>
    <td>%s</td><td>%s×</td><td>%s</td><td>%s</td><td>%s</td></tr>
    """
        .formatted(
            r.headline().filter(p::equals).isPresent() ? " class=\"shown\"" : "",
            name,
            exits
                ? p.activeExits().stream().map(String::valueOf).collect(Collectors.joining(", "))
                : "none",
            exits ? NumberText.plain(p.threshold()) : "–",
            NumberText.fixed(p.decodeTokensPerSecond(), 1),
            NumberText.fixed(p.speedup(), 2),
            SpeedText.verdict(p, r.error()),
            NumberText.percent(p.agreement()),
            NumberText.fixed(p.meanDepth(), 2));
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
    <dt>Speed-up</dt><dd>decode tokens per second over those of full depth, which decodes the
    same prompt immediately before or after, in turns; the median of %s such pairs; the prompt's pass is not
    counted</dd>
    <dt>Verdict</dt><dd>a gain or a loss only where the speed-up is farther from 1 than the error, which
    is found from the settings that change nothing: threshold 1, where no token leaves</dd>
    <dt>Agreement</dt><dd>share of tokens that are what full depth chooses</dd>
    <dt>Mean depth</dt><dd>mean number of layers after which a token was decided</dd>
    </dl>
    <p>The same figures for programs: <code>results.json</code> in the same folder.</p>
    </section>
    """
        .formatted(
            SafeText.html(command),
            SafeText.html(m.date()),
            SafeText.html(m.cpu()),
            m.cores(),
            m.cores() == 1 ? "core" : "cores",
            SafeText.html(m.java()),
            SafeText.html(m.kernels()),
            r.error().pairs());
  }
}
