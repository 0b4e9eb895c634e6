package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.eval.ChoiceScorer;
import dev.sortie.eetuning.eval.EvalResults;
import dev.sortie.eetuning.eval.MeasurementError;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.eval.task.TextMetrics;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An evaluation's results for programs. */
public final class EvalJson {
  private EvalJson() {}

  /** The results as a map for JSON. */
  public static Map<String, Object> of(EvalResults r) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("model", SafeText.wellFormed(r.model()));
    root.put("layers", r.layers());
    Map<String, Object> run = new LinkedHashMap<>();
    run.put("command", SafeText.wellFormed(r.run().command()));
    run.put("commit", r.run().commit());
    run.put("dtype", r.run().dtype());
    run.put("arithmetic", r.run().arithmetic());
    run.put("threads", r.run().threads());
    root.put("run", run);
    root.put("machine", DemoJson.machine(r.machine()));
    r.text().ifPresent(t -> root.put("text", text(t)));
    r.oracle().ifPresent(o -> root.put("oracle", OracleSection.json(o, r.sets())));
    Map<String, Object> choices = new LinkedHashMap<>();
    r.choices()
        .forEach(
            (task, heads) -> {
              Map<String, Object> byHead = new LinkedHashMap<>();
              heads.forEach((head, a) -> byHead.put(head, accuracy(a)));
              choices.put(SafeText.wellFormed(task), byHead);
            });
    root.put("choices", choices);
    MeasurementError error = r.error();
    if (!r.settings().isEmpty()) {
      root.put("measurement", DemoJson.measurement(error));
    }
    root.put("settings", r.settings().stream().map(s -> setting(s, error)).toList());
    return root;
  }

  private static Map<String, Object> text(TextScorer.Result t) {
    List<Map<String, Object>> heads = new ArrayList<>();
    t.heads()
        .forEach(
            (head, s) -> {
              Map<String, Object> one = new LinkedHashMap<>();
              one.put("exit", head);
              one.putAll(score(t, s));
              heads.add(one);
            });
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("tokens", t.tokens());
    root.put("bytes", t.bytes());
    root.put("heads", heads);
    return root;
  }

  /** Scores of one head, null where the text has no token for it. */
  public static Map<String, Object> score(TextScorer.Result t, TextScorer.Score s) {
    return Json.object(
        "nll", orNull(s.nll()),
        "perplexity", orNull(s.perplexity()),
        "bits_per_byte", orNull(t.bitsPerByte(s)),
        "agreement", orNull(s.agreement()),
        "coverage", orNull(s.coverage()));
  }

  private static Double orNull(double x) {
    return Double.isFinite(x) ? Double.valueOf(x) : null;
  }

  private static Map<String, Object> accuracy(ChoiceScorer.Accuracy a) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("acc", a.acc());
    one.put("acc_norm", a.accNorm());
    one.put("acc_bytes", a.accBytes());
    return one;
  }

  private static Map<String, Object> setting(EvalResults.Setting s, MeasurementError error) {
    Map<String, Object> one = new LinkedHashMap<>(DemoJson.point(s.point(), error));
    one.put("predicted_tokens_per_second", s.predicted());
    Map<String, Object> tasks = new LinkedHashMap<>();
    s.tasks().forEach((task, m) -> tasks.put(SafeText.wellFormed(task), metrics(m)));
    one.put("tasks", tasks);
    return one;
  }

  private static Map<String, Object> metrics(TextMetrics m) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("exact_match", m.exactMatch());
    one.put("f1", m.f1());
    one.put("rouge_l", m.rougeL());
    return one;
  }
}
