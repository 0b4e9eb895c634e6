package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.RowCost;
import dev.sortie.eetuning.Fable;
import dev.sortie.eetuning.cli.ComputeOptions;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.model.Precision;
import dev.sortie.tensor.Device;
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

/** What several tokens at once cost against one. */
@Command(
    name = "rows",
    mixinStandardHelpOptions = true,
    description =
        "Times a cached pass over 1, 2, 4, 8 and 16 tokens of one sequence, all their logits included, for each type that the weights can be held in. Early-exit and speculative decoding stand on the ratio to one token.")
final class RowsCommand implements Callable<Integer> {
  @Mixin private ComputeOptions compute;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "M",
      description = "A model's folder or file, or the word fable.")
  private String model;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "15",
      description = "Samples of each number of rows. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(names = "--json", description = "The result as one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    if (rounds < 1 || rounds > 1000) {
      throw new InputException("--rounds " + rounds + " is outside 1 to 1000");
    }
    Path path = model.equals("fable") ? Fable.folder() : Path.of(model);
    List<Map<String, Object>> rows = new ArrayList<>();
    try (Device device = compute.open()) {
      for (Precision precision : List.of(Precision.F32, Precision.BF16, Precision.FILE)) {
        try (LanguageModel loaded = LanguageModel.load(path, precision, device)) {
          String dtype = precision.name().toLowerCase(Locale.ROOT);
          RowCost.measure(loaded.decoder(), device, rounds)
              .forEach(cost -> rows.add(describe(dtype, cost)));
        }
      }
    }
    if (json) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("model", model);
      result.put("threads", compute.threads());
      result.put("rows", rows);
      System.out.println(Json.compact(result));
    } else {
      rows.forEach(
          r ->
              System.out.println(
                  String.format(
                      Locale.ROOT,
                      "%-5s %3s rows %9s ms  ratio %s",
                      r.get("dtype"),
                      r.get("rows"),
                      r.get("milliseconds"),
                      r.get("ratio"))));
    }
    return 0;
  }

  private static Map<String, Object> describe(String dtype, RowCost cost) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("dtype", dtype);
    row.put("rows", cost.rows());
    row.put("milliseconds", cost.milliseconds());
    row.put("ratio", cost.ratio());
    return row;
  }
}
