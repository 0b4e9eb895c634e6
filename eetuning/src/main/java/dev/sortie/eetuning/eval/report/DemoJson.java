package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.DemoSample;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.eval.MeasurementError;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.eetuning.plot.LossPlot;
import dev.sortie.nn.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The demo's results as {@code results.json}, for programs. */
public final class DemoJson {
  private DemoJson() {}

  /**
   * Writes the file whole or not at all. {@code losses} has one number per measured step and exit,
   * and {@code loss_steps} those steps. The {@code error} of the measurement is null where the
   * pairs are too few to find it.
   *
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  public static void write(Path file, DemoResults r) {
    Json.write(file, of(r));
  }

  /** The file's contents. */
  public static Map<String, Object> of(DemoResults r) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("model", SafeText.wellFormed(r.model()));
    root.put("layers", r.layers());
    root.put("hidden", r.hidden());
    root.put("vocab", r.vocab());
    root.put("parameters", r.parameters());
    root.put("full_depth", Map.of("decode_tokens_per_second", r.fullDepthTokensPerSecond()));
    MeasurementError error = r.error();
    root.put("measurement", measurement(error));
    root.put("sweep", r.sweep().stream().map(p -> point(p, error)).toList());
    Map<String, Object> losses = new LinkedHashMap<>();
    Map<String, Object> steps = new LinkedHashMap<>();
    r.losses()
        .forEach(
            (depth, points) -> {
              losses.put(depth.toString(), points.stream().map(LossPlot.Point::loss).toList());
              steps.put(depth.toString(), points.stream().map(LossPlot.Point::step).toList());
            });
    root.put("losses", losses);
    root.put("loss_steps", steps);
    Map<String, Object> validation = new LinkedHashMap<>();
    r.validation().forEach((depth, loss) -> validation.put(depth.toString(), loss));
    root.put("validation", validation);
    root.put("samples", r.samples().stream().map(DemoJson::sample).toList());
    root.put("machine", machine(r.machine()));
    return root;
  }

  static Map<String, Object> measurement(MeasurementError e) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("pairs", e.pairs());
    fields.put("unchanged_least", e.least());
    fields.put("unchanged_most", e.most());
    fields.put("error", e.isKnown() ? e.value() : null);
    return fields;
  }

  static Map<String, Object> point(SweepPoint p, MeasurementError error) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("strategy", p.strategy());
    fields.put("technique", p.technique().key());
    fields.put("threshold", p.threshold());
    fields.put("active_exits", p.activeExits());
    fields.put("decode_tokens_per_second", p.decodeTokensPerSecond());
    fields.put("speedup", p.speedup());
    fields.put("verdict", error.verdict(p.speedup()).label());
    fields.put("pair_ratios", p.ratios());
    fields.put("agreement", p.agreement());
    fields.put("mean_depth", p.meanDepth());
    fields.put("exits", p.exits());
    return fields;
  }

  private static Map<String, Object> sample(DemoSample s) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("prompt", SafeText.wellFormed(s.prompt()));
    fields.put("threshold", s.threshold());
    fields.put("text", SafeText.wellFormed(s.text()));
    fields.put("full_depth_text", SafeText.wellFormed(s.fullDepthText()));
    List<Map<String, Object>> tokens = new ArrayList<>();
    for (DemoSample.Token token : s.tokens()) {
      Map<String, Object> trace = new LinkedHashMap<>();
      trace.put("id", token.id());
      trace.put("text", SafeText.wellFormed(token.text()));
      trace.put(
          "exit", token.exit().isPresent() ? (Object) token.exit().getAsInt() : ExitKeys.FINAL);
      trace.put("confidence", token.confidence());
      tokens.add(trace);
    }
    fields.put("tokens", tokens);
    return fields;
  }

  static Map<String, Object> machine(Machine m) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("cpu", m.cpu());
    fields.put("cores", m.cores());
    fields.put("java", m.java());
    fields.put("kernels", m.kernels());
    fields.put("date", m.date());
    return fields;
  }
}
