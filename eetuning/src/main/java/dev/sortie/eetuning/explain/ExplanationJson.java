package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.explain.Explanation.ExitRun;
import dev.sortie.eetuning.explain.Explanation.FinalRun;
import dev.sortie.eetuning.explain.Explanation.LayerRun;
import dev.sortie.eetuning.explain.Explanation.ReadToken;
import dev.sortie.eetuning.explain.Explanation.Stretch;
import dev.sortie.eetuning.explain.KernelUse.CacheUse;
import dev.sortie.nn.json.Json;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/** An explanation as JSON. All is the same each time, but for {@code seconds}. */
public final class ExplanationJson {
  private static final double SECOND = 1e9;

  private ExplanationJson() {}

  /** All of it. */
  public static Map<String, Object> of(Explanation e) {
    Map<String, Object> token = token(e.chosen());
    token.put("number", e.number());
    token.put("exit", e.exit().isPresent() ? e.exit().getAsInt() : "final");
    Map<String, Object> read = token(e.read());
    read.put("position", e.position());
    return Json.object(
        "prompt_ids",
        e.prompt(),
        "token",
        token,
        "reads",
        read,
        "embedding",
        kernels(e.embedding()),
        "layers",
        e.layers().stream().map(ExplanationJson::layer).toList(),
        "exits",
        e.exits().stream().map(ExplanationJson::exit).toList(),
        "final",
        last(e.last()),
        "deferred",
        e.deferred().stream().map(ExplanationJson::stretch).toList());
  }

  private static Map<String, Object> token(ReadToken token) {
    return Json.object("id", token.id(), "text", token.text());
  }

  private static Map<String, Object> layer(LayerRun run) {
    Map<String, Object> json =
        Json.object("layer", run.layer(), "token", number(run.by()), "rows", run.rows());
    json.put("kv_cache", run.cache().map(ExplanationJson::cache).orElse(null));
    json.put("seconds", run.nanos() / SECOND);
    json.put("kernels", kernels(run.kernels()));
    return json;
  }

  private static Map<String, Object> cache(CacheUse cache) {
    return Json.object(
        "tokens", cache.tokens(), "type", cache.type().name(), "bytes", cache.bytes());
  }

  private static Map<String, Object> exit(ExitRun run) {
    ExitReading r = run.reading();
    Map<String, Object> json =
        Json.object(
            "exit",
            r.depth(),
            "confidence",
            r.confidence(),
            "threshold",
            r.threshold().isPresent() ? r.threshold().getAsDouble() : null,
            "leaves",
            r.leaves(),
            "asked",
            run.asked().name().toLowerCase(Locale.ROOT),
            "probe",
            r.probe().isPresent() ? r.probe().getAsDouble() : null,
            "agreeing",
            r.agreeing(),
            "covered_tokens",
            r.covered(),
            "coverage",
            r.coverage(),
            "top",
            top(r.top()));
    json.put("seconds", run.nanos() / SECOND);
    json.put("kernels", kernels(run.kernels()));
    return json;
  }

  private static Map<String, Object> last(FinalRun run) {
    return Json.object(
        "confidence",
        run.confidence(),
        "top",
        top(run.top()),
        "seconds",
        run.nanos() / SECOND,
        "kernels",
        kernels(run.kernels()));
  }

  private static List<Map<String, Object>> top(List<LikelyToken> top) {
    return top.stream()
        .map(t -> Json.object("id", t.id(), "text", t.text(), "probability", t.probability()))
        .toList();
  }

  private static Map<String, Object> stretch(Stretch s) {
    return Json.object(
        "first_layer",
        s.first(),
        "last_layer",
        s.last(),
        "token",
        number(s.by()),
        "rows",
        s.rows());
  }

  private static Integer number(OptionalInt by) {
    return by.isPresent() ? by.getAsInt() : null;
  }

  private static List<Map<String, Object>> kernels(List<KernelUse> kernels) {
    return kernels.stream().map(ExplanationJson::kernel).toList();
  }

  private static Map<String, Object> kernel(KernelUse use) {
    return Json.object(
        "kernel",
        use.kernel(),
        "in",
        use.shapes().in(),
        "out",
        use.shapes().out(),
        "weights",
        use.weights().stream()
            .map(w -> Json.object("name", w.name(), "type", w.type().name(), "shape", w.shape()))
            .toList(),
        "seconds",
        use.nanos() / SECOND);
  }
}
