package dev.sortie.benchmarks;

import dev.sortie.benchmarks.cold.ColdRow;
import dev.sortie.benchmarks.compare.DisagreementException;
import dev.sortie.benchmarks.compare.OwnResult;
import dev.sortie.benchmarks.compare.Settings;
import dev.sortie.benchmarks.live.TypedPrompt;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prompts that are read while they are typed. */
@Command(
    name = "live",
    mixinStandardHelpOptions = true,
    description = {
      "Types prompts of 64, 200 and 512 tokens key by key: seconds from the last key to the first"
          + " token where a prompt is read while it is typed, as chat --live does, in turns with"
          + " reading it whole. Both must give the same logits.",
      "Ratios are the time of the whole prompt by that of the typed one."
    })
final class LiveCommand implements Callable<Integer> {
  private static final int FAILED = 1;
  private static final int[] SIZES = {64, 200, 512};

  @Mixin private MeasuredModelMixin model;
  @Mixin private ArithmeticMixin arithmetic;
  @Mixin private MeasuringMixin measuring;

  @Option(
      names = "--keys",
      paramLabel = "N",
      defaultValue = "40",
      description = "Keys typed per second. Default: ${DEFAULT-VALUE}.")
  private int keys;

  @Override
  public Integer call() {
    Settings settings = measuring.settings(model.compute().threads());
    Ranges.check("--keys", keys, 1, 10_000);
    try (Device device = model.compute().open();
        LanguageModel loaded =
            LanguageModel.load(model.path(), Precision.FILE, arithmetic.arithmetic(), device)) {
      report(settings, loaded, measure(settings, loaded));
    } catch (DisagreementException e) {
      System.err.println("sortie: " + e.getMessage());
      return FAILED;
    }
    return 0;
  }

  /** Rows and, by row, the tokens that were left to read. */
  private Map<ColdRow, Integer> measure(Settings settings, LanguageModel loaded) {
    List<Integer> sizes = new ArrayList<>();
    for (int size : SIZES) {
      if (size < loaded.config().decoder().context()) {
        sizes.add(size);
      } else {
        settings
            .progress()
            .accept(
                "left out: "
                    + name(size)
                    + ", for the context has "
                    + loaded.config().decoder().context());
      }
    }
    Map<ColdRow, Integer> rows = new LinkedHashMap<>();
    for (int size : settings.choose(sizes, LiveCommand::name)) {
      settings.progress().accept("measuring " + name(size));
      TypedPrompt prompt = new TypedPrompt(loaded, size, keys);
      ColdRow row = prompt.measure(name(size), settings.rounds());
      rows.put(row, prompt.left());
    }
    return rows;
  }

  private static String name(int tokens) {
    return tokens + " tokens";
  }

  private void report(Settings settings, LanguageModel loaded, Map<ColdRow, Integer> rows) {
    String name = Path.of(model.model()).getFileName().toString();
    Map<String, Object> how = new LinkedHashMap<>();
    how.put("model", name);
    how.put("arithmetic", loaded.arithmetic().word());
    how.put("keys_per_second", keys);
    how.put("rounds", settings.rounds());
    List<Map<String, Object>> described = new ArrayList<>();
    rows.forEach(
        (row, left) -> {
          Map<String, Object> m = row.describe();
          m.put("left_to_read", left);
          described.add(m);
        });
    Map<String, Object> result =
        new OwnResult(
                "live " + name,
                "the prompt read whole in the same run",
                Machine.detect(loaded.device().kernels().name()),
                settings.threads() + " threads",
                how,
                described,
                rows.keySet().stream().map(ColdRow::ratio).toList())
            .describe();
    if (model.json()) {
      System.out.println(Json.compact(result));
    } else {
      System.out.println(
          "%s typed with %d keys per second, %s, seconds from the last key to the first token, medians of %d"
              .formatted(name, keys, result.get("device"), settings.rounds()));
      described.forEach(
          r ->
              System.out.println(
                  "%-10s read while typed %s s, read whole %s s, ratio %s; %s tokens were left to read"
                      .formatted(
                          r.get("case"),
                          r.get("ours"),
                          r.get("peer"),
                          r.get("ratio"),
                          r.get("left_to_read"))));
    }
    measuring.record(result);
  }
}
