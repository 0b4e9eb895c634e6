package dev.sortie.benchmarks.compare;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a long benchmark has measured, a JSON object per line, so that it can be cut in pieces.
 *
 * @param file {@code --out}
 * @param of settings, the same in all lines
 */
public record KeptLines(Path file, String of) {

  /**
   * The lines that are there.
   *
   * @throws InputException if they are of other settings
   */
  public List<JsonObject> read() {
    if (!Files.exists(file)) {
      return List.of();
    }
    List<JsonObject> lines = JsonLines.read(file);
    for (JsonObject line : lines) {
      if (!line.getString("of").equals(of)) {
        throw new InputException(
            "--out "
                + file
                + " has runs of ("
                + line.getString("of")
                + "), now it is ("
                + of
                + "); take another file");
      }
    }
    return lines;
  }

  /** Adds a line. */
  public void append(Map<String, ?> fields) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("of", of);
    line.putAll(fields);
    try {
      JsonLines.append(file, line);
    } catch (IOException e) {
      throw new InputException(
          "--out " + file + " cannot be written (" + e + "); give a file in a folder that exists",
          e);
    }
  }
}
