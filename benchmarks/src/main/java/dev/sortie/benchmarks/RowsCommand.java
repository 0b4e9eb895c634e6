package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.RowCost;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
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
  @Mixin private MeasuredModelMixin model;

  @Mixin private ArithmeticMixin arithmetic;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "15",
      description = "Samples of each number of rows. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Override
  public Integer call() {
    Ranges.check("--rounds", rounds, 1, 1000);
    List<Map<String, Object>> rows = new ArrayList<>();
    try (Device device = model.compute().open()) {
      for (Precision precision : List.of(Precision.F32, Precision.BF16, Precision.FILE)) {
        try (LanguageModel loaded =
            LanguageModel.load(model.path(), precision, arithmetic.arithmetic(), device)) {
          String dtype = precision.word();
          RowCost.measure(loaded.decoder(), loaded.device(), rounds)
              .forEach(cost -> rows.add(describe(dtype, loaded.arithmetic(), cost)));
        }
      }
    }
    if (model.json()) {
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("model", model.model());
      result.put("threads", model.compute().threads());
      result.put("rows", rows);
      System.out.println(Json.compact(result));
    } else {
      rows.forEach(
          r ->
              System.out.println(
                  String.format(
                      Locale.ROOT,
                      "%-5s %-7s %3s rows %9s ms  ratio %s",
                      r.get("dtype"),
                      r.get("arithmetic"),
                      r.get("rows"),
                      r.get("milliseconds"),
                      r.get("ratio"))));
    }
    return 0;
  }

  private static Map<String, Object> describe(String dtype, Arithmetic arithmetic, RowCost cost) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("dtype", dtype);
    row.put("arithmetic", arithmetic.word());
    row.put("rows", cost.rows());
    row.put("milliseconds", cost.milliseconds());
    row.put("ratio", cost.ratio());
    return row;
  }
}
