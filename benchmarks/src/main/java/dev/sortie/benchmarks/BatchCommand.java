package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.BatchRates;
import dev.sortie.eetuning.Fable;
import dev.sortie.eetuning.cli.ComputeOptions;
import dev.sortie.eetuning.decode.policy.MaxProbability;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
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
  @Mixin private ComputeOptions compute;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "M",
      description = "A model's folder or file, or the word fable.")
  private String model;

  @Option(
      names = "--dtype",
      defaultValue = "bf16",
      paramLabel = "WORD",
      description = "f32, bf16 or file. Default: ${DEFAULT-VALUE}.")
  private String dtype;

  @Option(names = "--exits", paramLabel = "DIR", description = "Exits to leave at.")
  private Path exitsFolder;

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
      description = "Tokens a text. Default: ${DEFAULT-VALUE}.")
  private int tokens;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Rounds that count; one comes before. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(names = "--json", description = "The result as one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    if (rounds < 1 || rounds > 100) {
      throw new InputException("--rounds " + rounds + " is outside 1 to 100");
    }
    if (tokens < 1) {
      throw new InputException("--tokens " + tokens + " must be at least 1");
    }
    for (int n : sequences) {
      if (n < 1 || n > 64) {
        throw new InputException("--sequences " + n + " is outside 1 to 64");
      }
    }
    Path path = model.equals("fable") ? Fable.folder() : Path.of(model);
    List<Map<String, Object>> rows = new ArrayList<>();
    try (Device device = compute.open();
        LanguageModel loaded = LanguageModel.load(path, DtypeWord.precision(dtype), device);
        NativeArena arena = new NativeArena("exits")) {
      var settings = new BatchRates.Settings(sequences, tokens, rounds);
      add(rows, "full", loaded, Exits.none(), 1, settings, device);
      if (exitsFolder != null) {
        Exits exits = ExitsFile.read(exitsFolder, loaded, arena, device.kernels());
        add(rows, "early-exit", loaded, exits, threshold, settings, device);
      }
    }
    if (json) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("model", model);
      result.put("dtype", dtype);
      result.put("threads", compute.threads());
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
