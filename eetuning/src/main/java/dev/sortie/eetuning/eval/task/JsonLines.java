package dev.sortie.eetuning.eval.task;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Files with a JSON object per line (JSONL). Errors name the file, the line and the field. */
public final class JsonLines {
  private JsonLines() {}

  /** The objects of all lines of a file that are not blank, at least one. */
  public static List<JsonObject> read(Path file) {
    return parse(NamedInput.name(file), TextFiles.read(file, TextFiles.CORPUS));
  }

  /** Adds a line at the end of a file, which is made if it is absent. */
  public static void append(Path file, Map<String, ?> object) throws IOException {
    Files.writeString(
        file,
        Json.compact(object) + "\n",
        StandardCharsets.UTF_8,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  /** The objects of all lines of a text, as {@link #read}; {@code origin} names it in messages. */
  public static List<JsonObject> parse(String origin, String text) {
    List<JsonObject> objects = new ArrayList<>();
    int number = 0;
    for (String line : text.split("\n", -1)) {
      number++;
      if (!line.isBlank()) {
        objects.add(Json.parse(origin + " line " + number, line.strip(), JsonLimits.CONFIG));
      }
    }
    if (objects.isEmpty()) {
      throw new InputException(origin + ": has blank lines only, expected a JSON object per line");
    }
    return objects;
  }
}
