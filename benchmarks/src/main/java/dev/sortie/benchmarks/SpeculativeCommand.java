package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.SpeculativeGain;
import dev.sortie.eetuning.Fable;
import dev.sortie.eetuning.cli.ComputeOptions;
import dev.sortie.eetuning.decode.SamplingOptions;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.model.Precision;
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

/** What guessing ahead gains. */
@Command(
    name = "speculative",
    mixinStandardHelpOptions = true,
    description =
        "Decodes five prompts at full depth and with --strategy speculative, in turns, greedy and sampled. The texts must be the same. End-of-text tokens do not end them.")
final class SpeculativeCommand implements Callable<Integer> {
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

  @Option(
      names = "--exits",
      paramLabel = "DIR",
      description = "Exits, the deepest of which guesses too.")
  private Path exitsFolder;

  @Option(
      names = "--threshold",
      defaultValue = "0.8",
      paramLabel = "X",
      description = "Confidence below which the exit does not guess. Default: ${DEFAULT-VALUE}.")
  private double threshold;

  @Option(
      names = "--temperatures",
      split = ",",
      defaultValue = "0,0.8",
      paramLabel = "X",
      description = "Temperatures; 0 is greedy. Default: ${DEFAULT-VALUE}.")
  private List<Double> temperatures;

  @Option(
      names = "--tokens",
      defaultValue = "128",
      paramLabel = "N",
      description = "Tokens a prompt. Default: ${DEFAULT-VALUE}.")
  private int tokens;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "3",
      description = "Rounds that count; one comes before. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(names = "--json", description = "The result as one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    if (rounds < 1 || rounds > 100) {
      throw new InputException("--rounds " + rounds + " is outside 1 to 100");
    }
    if (tokens < 2) {
      throw new InputException("--tokens " + tokens + " must be at least 2");
    }
    Path path = model.equals("fable") ? Fable.folder() : Path.of(model);
    List<Map<String, Object>> rows = new ArrayList<>();
    try (Device device = compute.open();
        LanguageModel loaded = LanguageModel.load(path, precision(), device);
        NativeArena arena = new NativeArena("exits")) {
      Exits exits =
          exitsFolder == null
              ? Exits.none()
              : ExitsFile.read(exitsFolder, loaded, arena, device.kernels());
      for (double temperature : temperatures) {
        SamplingOptions sampling = new SamplingOptions(temperature, 0, 1, 0, 1, 1);
        var settings = new SpeculativeGain.Settings(tokens, rounds, sampling, exits, threshold);
        for (SpeculativeGain gain : SpeculativeGain.measure(loaded, settings, device)) {
          rows.add(describe(temperature, gain));
        }
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
      temperatures.forEach(t -> System.out.println(mean(t, rows)));
    }
    return 0;
  }

  private Precision precision() {
    for (Precision p : Precision.values()) {
      if (p.name().equalsIgnoreCase(dtype)) {
        return p;
      }
    }
    throw new InputException("--dtype '" + dtype + "' is unknown; take f32, bf16 or file");
  }

  private static Map<String, Object> describe(double temperature, SpeculativeGain gain) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("temperature", temperature);
    row.put("prompt", gain.prompt());
    row.put("full", gain.full());
    row.put("speculative", gain.speculative());
    row.put("unit", "tokens/s");
    row.put("ratio", gain.ratio());
    row.put("tokens", gain.tokens());
    row.put("passes", gain.passes());
    row.put("verified", gain.verified());
    row.put("accepted", gain.accepted());
    return row;
  }

  private static String line(Map<String, Object> r) {
    return String.format(
        Locale.ROOT,
        "temperature %s  prompt %s  %6s -> %6s tokens/s  %.2f  %4d passes, %d of %d guesses right",
        r.get("temperature"),
        r.get("prompt"),
        r.get("full"),
        r.get("speculative"),
        r.get("ratio"),
        r.get("passes"),
        r.get("accepted"),
        r.get("verified"));
  }

  private static String mean(double temperature, List<Map<String, Object>> rows) {
    double mean =
        rows.stream()
            .filter(r -> r.get("temperature").equals(temperature))
            .mapToDouble(r -> Math.log((Double) r.get("ratio")))
            .average()
            .orElseThrow();
    return String.format(
        Locale.ROOT,
        "temperature %s: %.2f times as fast (geometric mean)",
        temperature,
        Math.exp(mean));
  }
}
