package dev.sortie.eetuning.train;

import dev.sortie.nn.file.Sha256;
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

/** Audit records in which somebody changed a number and made the chain fit again. */
public final class AuditForgery {
  private AuditForgery() {}

  /** A copy with another first number of an object of a step, such as its losses. */
  public static Path forge(Path record, Path folder, int step, String field) throws IOException {
    List<String> lines = new ArrayList<>(Files.readAllLines(record));
    for (int i = step; i < lines.size(); i++) {
      JsonObject line = Json.parse("line", lines.get(i), JsonLimits.DATA);
      Map<String, Object> fields = new LinkedHashMap<>(line.fields());
      fields.put("previous", Sha256.of(lines.get(i - 1).getBytes(StandardCharsets.UTF_8)));
      if (i == step) {
        Map<String, Object> numbers = new LinkedHashMap<>(line.getObject(field).fields());
        String name = numbers.keySet().iterator().next();
        numbers.put(name, Math.nextUp((Double) numbers.get(name)));
        fields.put(field, numbers);
      }
      lines.set(i, Json.compact(fields));
    }
    return Files.writeString(
        folder.resolve("forged-" + step + field), String.join("\n", lines) + "\n");
  }
}
