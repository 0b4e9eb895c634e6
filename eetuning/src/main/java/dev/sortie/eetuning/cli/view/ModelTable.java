package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.family.Families;
import dev.sortie.nn.json.Json;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The model families that are supported, and what can be done with each. */
public final class ModelTable {
  private static final String ROW = "%-26s %-12s %-20s %-12s %-4s %-7s %s%n";

  private ModelTable() {}

  public static void print(PrintStream out) {
    out.printf(
        Locale.ROOT, ROW, "family", "model_type", "class", "safetensors", "GGUF", "decode", "tune");
    for (Families.Support f : Families.supported()) {
      out.printf(
          Locale.ROOT,
          ROW,
          f.title(),
          f.modelType(),
          f.architecture(),
          "yes",
          f.gguf() ? "yes" : "no",
          "yes",
          "yes");
    }
  }

  public static void printJson(PrintStream out) {
    out.println(
        Json.compact(
            Map.of("models", Families.supported().stream().map(ModelTable::fields).toList())));
  }

  private static Map<String, Object> fields(Families.Support f) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("family", f.title());
    one.put("model_type", f.modelType());
    one.put("architecture", f.architecture());
    one.put("safetensors", true);
    one.put("gguf", f.gguf());
    one.put("decode", true);
    one.put("tune", true);
    return one;
  }
}
