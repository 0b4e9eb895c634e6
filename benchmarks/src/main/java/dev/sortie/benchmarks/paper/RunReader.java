package dev.sortie.benchmarks.paper;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * What of a run's output is kept: figures that every run repeats to the last bit on the same kernel
 * set, and apart from them those of speed and memory, which no two runs share.
 *
 * @param folder of the results
 */
record RunReader(RunFolder folder) {
  private static final int DECIMALS = 10_000;

  /** Steps that are averaged to a point of a loss curve. */
  static final int STEPS = 16;

  /** Figures that every run repeats. */
  Map<String, Object> repeated(Run run) {
    JsonObject result = folder.result(run);
    return switch (run.command()) {
      case "sample" -> sampled(result);
      case "add-exits" -> keep(result, "parameters", "backbone_sha256");
      case "score" -> scored(result);
      case "tune" -> run.words().contains("--dry-run") ? memory(result) : tuned(run, result);
      case "pretrain" -> memory(result);
      case "launch" -> keep(rank(result), "losses", "exits_sha256");
      case "eval" -> settings(result, "agreement", "mean_depth");
      default -> throw new IllegalArgumentException(run.line());
    };
  }

  /** Figures of speed and memory. */
  Map<String, Object> measured(Run run) {
    JsonObject result = folder.result(run);
    return switch (run.command()) {
      case "tune", "pretrain" -> keep(result, "steady_tokens_per_second", "peak_resident_bytes");
      case "eval" -> settings(result, "speedup", "agreement");
      default -> throw new IllegalArgumentException(run.line());
    };
  }

  private static Map<String, Object> keep(JsonObject o, String... names) {
    Map<String, Object> kept = new LinkedHashMap<>();
    for (String name : names) {
      Object value = o.fields().get(name);
      if (value == null) {
        throw o.error(name, "a value");
      }
      kept.put(name, value instanceof JsonObject inner ? inner.fields() : value);
    }
    return kept;
  }

  private static Map<String, Object> sampled(JsonObject result) {
    Map<String, Object> kept = new LinkedHashMap<>();
    for (String part : List.of("train", "test")) {
      JsonObject file = result.getObject("files").getObject(part + ".jsonl");
      kept.put(part, keep(file, "texts", "tokens", "sha256"));
    }
    return kept;
  }

  private static Map<String, Object> scored(JsonObject result) {
    List<Map<String, Object>> heads = new ArrayList<>();
    for (JsonObject head : result.getObjects("heads")) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("exit", head.fields().get("exit"));
      one.put("nll", rounded(head.getDouble("nll", 0, 1e6)));
      one.put("agreement", rounded(head.getDouble("agreement", 0, 1)));
      heads.add(one);
    }
    Map<String, Object> kept = keep(result, "tokens");
    kept.put("heads", heads);
    return kept;
  }

  private Map<String, Object> tuned(Run run, JsonObject result) {
    Map<String, Object> kept = keep(result, "losses", "exits_sha256");
    int at = run.words().indexOf("--step-log");
    if (at >= 0) {
      kept.put("curve", curve(folder.file(run.words().get(at + 1))));
    }
    return kept;
  }

  /** Mean losses of {@link #STEPS} steps each, by exit. A resumed run repeats steps in its log. */
  private static SequencedMap<String, List<Double>> curve(Path log) {
    TreeMap<Integer, JsonObject> steps = new TreeMap<>();
    try {
      for (String line : Files.readAllLines(log, StandardCharsets.UTF_8)) {
        JsonObject step = Json.parse(log.toString(), line, JsonLimits.CONFIG);
        steps.put(step.getInt("step", 1, Integer.MAX_VALUE), step.getObject("losses"));
      }
    } catch (IOException e) {
      throw new InputException(log + " cannot be read: " + e, e);
    }
    List<JsonObject> losses = List.copyOf(steps.values());
    SequencedMap<String, List<Double>> curve = new LinkedHashMap<>();
    for (String exit : losses.getFirst().fields().keySet()) {
      List<Double> means = new ArrayList<>();
      for (int from = 0; from + STEPS <= losses.size(); from += STEPS) {
        means.add(
            rounded(
                losses.subList(from, from + STEPS).stream()
                    .mapToDouble(o -> o.getDouble(exit, 0, 1e6))
                    .average()
                    .orElseThrow()));
      }
      curve.put(exit, means);
    }
    return curve;
  }

  private static Map<String, Object> memory(JsonObject result) {
    JsonObject rank = result.getObjects("ranks").getFirst();
    return keep(
        rank,
        "weights_bytes",
        "exits_bytes",
        "optimizer_bytes",
        "activations_bytes",
        "buffers_bytes");
  }

  private static JsonObject rank(JsonObject result) {
    return result.getObject("results").getObject("0");
  }

  private static Map<String, Object> settings(JsonObject result, String... names) {
    List<Map<String, Object>> kept = new ArrayList<>();
    for (JsonObject s : result.getObjects("settings")) {
      if (s.getString("strategy").equals("early-exit")) {
        Map<String, Object> one = keep(s, "threshold", "active_exits");
        for (String name : names) {
          one.put(name, rounded(s.getDouble(name, 0, 1e6)));
        }
        kept.add(one);
      }
    }
    return Json.object("settings", kept);
  }

  private static double rounded(double x) {
    return Math.rint(x * DECIMALS) / DECIMALS;
  }
}
