package dev.sortie.benchmarks.peer;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What CLBlast's own tuners (Debian's {@code clblast-utils}) found on this machine: the files
 * {@code clblast_xgemm_*_32.json} and {@code clblast_xgemm_direct_*_32.json} that they write into
 * the folder in which they run. Of several files for a kernel the fastest result counts.
 *
 * @param kernels parameters by CLBlast's name of the kernel
 */
public record ClBlastTuning(Map<String, Map<String, Long>> kernels) {
  /** The environment variable that names the folder. */
  public static final String VARIABLE = "SORTIE_CLBLAST";

  private static final Map<String, String> FAMILIES =
      Map.of("xgemm", "Xgemm", "xgemm_direct", "XgemmDirect");

  /** Reads a folder that has files of both kernels. */
  public static ClBlastTuning read(Path folder) {
    Map<String, Map<String, Long>> best = new TreeMap<>();
    Map<String, Double> rates = new HashMap<>();
    for (Path file : files(folder)) {
      JsonObject fields = Json.read(file);
      String family = fields.getString("kernel_family").replaceFirst("_\\d+$", "");
      String kernel = FAMILIES.get(family);
      if (kernel == null || !fields.getString("precision").equals("32")) {
        continue;
      }
      double rate =
          number(fields, "arg_m")
              * number(fields, "arg_n")
              * number(fields, "arg_k")
              / number(fields, "best_time");
      if (rate > rates.getOrDefault(kernel, 0.0)) {
        rates.put(kernel, rate);
        best.put(kernel, parameters(file, fields.getString("best_parameters")));
      }
    }
    if (best.size() < FAMILIES.size()) {
      throw new InputException(
          VARIABLE
              + "="
              + folder
              + " has tuned parameters of "
              + best.keySet()
              + " alone; run clblast_tuner_xgemm and clblast_tuner_xgemm_direct (Debian:"
              + " clblast-utils) with -precision 32 in it");
    }
    return new ClBlastTuning(best);
  }

  private static List<Path> files(Path folder) {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(f -> f.getFileName().toString().matches("clblast_xgemm_.*\\.json"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new InputException(VARIABLE + "=" + folder + " cannot be listed: " + e, e);
    }
  }

  private static double number(JsonObject fields, String name) {
    String s = fields.getString(name);
    try {
      return Double.parseDouble(s);
    } catch (NumberFormatException e) {
      throw fields.error(name, "a number");
    }
  }

  /** {@code KWG=32 PRECISION=32 …}; the precision is no parameter of its library. */
  private static Map<String, Long> parameters(Path file, String words) {
    Map<String, Long> parameters = new TreeMap<>();
    for (String word : words.split(" ")) {
      String[] sides = word.split("=");
      try {
        if (!sides[0].equals("PRECISION")) {
          parameters.put(sides[0], Long.parseLong(sides[1]));
        }
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw new InputException(file + ": best_parameters has \"" + word + "\"", e);
      }
    }
    return parameters;
  }
}
