package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.BatchRates;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What decoding several texts together gains. */
@Command(
    name = "batch",
    mixinStandardHelpOptions = true,
    description =
        "Decodes several texts together from a paged cache, at full depth and, with --exits, each"
            + " leaving at its own depth. A text must be the same in any company. End-of-text"
            + " tokens do not end them.")
final class BatchCommand implements Callable<Integer> {
  @Mixin private ExitModelMixin model;

  @Option(
      names = "--threshold",
      defaultValue = "0.8",
      paramLabel = "X",
      description = "Confidence below which a token does not leave. Default: ${DEFAULT-VALUE}.")
  private double threshold;

  @Option(
      names = "--sequences",
      split = ",",
      defaultValue = "1,4,8",
      paramLabel = "N",
      description = "Texts at once. Default: ${DEFAULT-VALUE}.")
  private List<Integer> sequences;

  @Option(
      names = "--tokens",
      defaultValue = "64",
      paramLabel = "N",
      description = "Tokens per text. Default: ${DEFAULT-VALUE}.")
  private int tokens;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Rounds that count; one comes before. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Override
  public Integer call() {
    Ranges.check("--rounds", rounds, 1, 100);
    if (tokens < 1) {
      throw new UsageException("--tokens " + tokens + " must be at least 1");
    }
    for (int n : sequences) {
      Ranges.check("--sequences", n, 1, 64);
    }
    List<Map<String, Object>> rows = new ArrayList<>();
    String arithmetic;
    try (Device opened = model.compute().open();
        LanguageModel loaded = model.load(opened);
        NativeArena arena = new NativeArena("exits")) {
      Device device = loaded.device();
      arithmetic = loaded.arithmetic().word();
      var settings = new BatchRates.Settings(sequences, tokens, rounds);
      add(rows, "full", loaded, Exits.none(), 1, settings, device);
      if (model.exitsFolder() != null) {
        Exits exits = model.exits(loaded, arena, device);
        add(rows, "early-exit", loaded, exits, threshold, settings, device);
      }
    }
    if (model.json()) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("model", model.model());
      result.put("dtype", model.dtype());
      result.put("arithmetic", arithmetic);
      result.put("threads", model.compute().threads());
      result.put("rows", rows);
      System.out.println(Json.compact(result));
    } else {
      rows.forEach(r -> System.out.println(line(r)));
    }
    return 0;
  }

  private static void add(
      List<Map<String, Object>> rows,
      String strategy,
      LanguageModel m,
      Exits exits,
      double threshold,
      BatchRates.Settings settings,
      Device device) {
    var all = BatchRates.measure(m, exits, new MaxProbability(threshold), settings, device);
    double first = all.getFirst().rate();
    for (BatchRates r : all) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("strategy", strategy);
      row.put("sequences", r.sequences());
      row.put("rate", r.rate());
      row.put("unit", "tokens/s");
      row.put("ratio", r.rate() / first);
      row.put("early", r.early());
      rows.add(row);
    }
  }

  private static String line(Map<String, Object> r) {
    return String.format(
        Locale.ROOT,
        "%-10s  %2d texts  %7.1f tokens/s  %.2f of the first  %.0f %% left early",
        r.get("strategy"),
        r.get("sequences"),
        r.get("rate"),
        r.get("ratio"),
        100 * (Double) r.get("early"));
  }
}
