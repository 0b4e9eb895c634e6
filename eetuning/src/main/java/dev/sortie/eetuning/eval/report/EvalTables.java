package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.eval.EvalResults;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.eval.task.TextMetrics;
import dev.sortie.eetuning.host.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The tables of an evaluation's report. */
final class EvalTables {
  private EvalTables() {}

  /** Every way of decoding in figures. */
  static String settings(EvalResults r) {
    if (r.settings().isEmpty()) {
      return "";
    }
    List<String> names =
        new ArrayList<>(
            List.of(
                "strategy",
                "threshold",
                "exits",
                "tokens/s",
                "predicted",
                "speed-up",
                "verdict",
                "agreement",
                "mean depth"));
    for (String task : r.tasks()) {
      names.add(task + ": exact match");
      names.add("F1");
      names.add("ROUGE-L");
    }
    List<List<String>> rows = new ArrayList<>();
    for (EvalResults.Setting s : r.settings()) {
      SweepPoint p = s.point();
      boolean exits = !p.activeExits().isEmpty();
      List<String> row = new ArrayList<>();
      row.add(p.strategy());
      row.add(exits && p.threshold() < 1 ? NumberText.plain(p.threshold()) : "–");
      row.add(
          exits
              ? p.activeExits().stream().map(String::valueOf).collect(Collectors.joining(", "))
              : "none");
      row.add(NumberText.fixed(p.decodeTokensPerSecond(), 1));
      row.add(NumberText.fixed(s.predicted(), 1));
      row.add(NumberText.fixed(p.speedup(), 2) + "×");
      row.add(SpeedText.verdict(p, r.error()));
      row.add(NumberText.percent(p.agreement()));
      row.add(NumberText.fixed(p.meanDepth(), 2));
      for (TextMetrics m : s.tasks().values()) {
        row.add(NumberText.percent(m.exactMatch()));
        row.add(NumberText.percent(m.f1()));
        row.add(NumberText.percent(m.rougeL()));
      }
      rows.add(row);
    }
    return section("All settings", table(names, rows));
  }

  /** What each head makes of the texts. */
  static String text(EvalResults r) {
    if (r.text().isEmpty()) {
      return "";
    }
    TextScorer.Result t = r.text().get();
    List<List<String>> rows = new ArrayList<>();
    t.heads()
        .forEach(
            (head, s) ->
                rows.add(
                    List.of(
                        head,
                        NumberText.fixed(s.nll(), 4),
                        NumberText.fixed(s.perplexity(), 2),
                        NumberText.fixed(t.bitsPerByte(s), 4),
                        NumberText.percent(s.agreement()),
                        NumberText.percent(s.coverage()))));
    return section(
        "Text of %s tokens".formatted(NumberText.fixed(t.tokens(), 0)),
        table(List.of("exit", "nll", "perplexity", "bits per byte", "agreement", "covered"), rows));
  }

  /** Multiple choice, by task and head. */
  static String choices(EvalResults r) {
    if (r.choices().isEmpty()) {
      return "";
    }
    List<List<String>> rows = new ArrayList<>();
    r.choices()
        .forEach(
            (task, heads) ->
                heads.forEach(
                    (head, a) ->
                        rows.add(
                            List.of(
                                task,
                                head,
                                NumberText.percent(a.acc()),
                                NumberText.percent(a.accNorm()),
                                NumberText.percent(a.accBytes())))));
    return section(
        "Multiple choice", table(List.of("task", "exit", "acc", "acc_norm", "acc_bytes"), rows));
  }

  static String section(String title, String body) {
    return "<section>\n<h2>" + SafeText.html(title) + "</h2>\n" + body + "</section>\n";
  }

  static String table(List<String> names, List<List<String>> rows) {
    StringBuilder out =
        new StringBuilder(
            "<div class=\"scroll\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">\n"
                + "<table>\n"
                + "<thead><tr>\n");
    names.forEach(n -> out.append("<th scope=\"col\">").append(SafeText.html(n)).append("</th>\n"));
    out.append("</tr></thead>\n<tbody>\n");
    for (List<String> row : rows) {
      out.append("<tr><th scope=\"row\">").append(SafeText.html(row.getFirst())).append("</th>");
      row.stream()
          .skip(1)
          .forEach(c -> out.append("<td>").append(SafeText.html(c)).append("</td>"));
      out.append("</tr>\n");
    }
    return out.append("</tbody>\n</table>\n</div>\n").toString();
  }

  /** Machine, flags, commit, and what the words mean. */
  static String method(EvalResults r) {
    Machine m = r.machine();
    return """
    <section>
    <h2>How it was measured</h2>
    <dl>
    <dt>Command</dt><dd><code>%s</code></dd>
    <dt>Commit</dt><dd>%s</dd>
    <dt>Date</dt><dd>%s</dd>
    <dt>Processor</dt><dd>%s, %d cores, %d threads used</dd>
    <dt>Java</dt><dd>%s</dd>
    <dt>Kernels</dt><dd>%s</dd>
    <dt>Speed-up</dt><dd>decode tokens per second over those of full depth, which decodes the
    same prompt immediately before or after, in turns; the median of such pairs; the prompt's pass is
    not counted</dd>
    <dt>Verdict</dt><dd>a gain or a loss only where the speed-up is farther from 1 than the error, which
    is found from full depth against itself and other settings that change nothing</dd>
    <dt>Predicted</dt><dd>tokens per second by the cost model, from where each token left
    and from the draft tokens that were accepted</dd>
    <dt>Agreement</dt><dd>share of tokens that are what full depth chooses at the same place</dd>
    <dt>acc, acc_norm, acc_bytes</dt><dd>share of items whose right choice has the highest
    log-likelihood: as a sum, for each character, for each UTF-8 byte</dd>
    </dl>
    <p>The same figures for programs: <code>results.json</code> in the same folder.</p>
    </section>
    """
        .formatted(
            SafeText.html(r.run().command()),
            SafeText.html(r.run().commit()),
            SafeText.html(m.date()),
            SafeText.html(m.cpu()),
            m.cores(),
            r.run().threads(),
            SafeText.html(m.java()),
            SafeText.html(m.kernels()));
  }
}
