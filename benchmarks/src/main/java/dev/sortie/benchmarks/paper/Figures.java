package dev.sortie.benchmarks.paper;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Figures of runs, a line of JSON for each, by the run's id. Each line has the command that it came
 * from.
 *
 * @param origin the file, for messages
 * @param lines by id
 */
public record Figures(String origin, Map<String, JsonObject> lines) {
  private static final String RUN = "run";
  private static final String COMMAND = "command";

  /** Those of a file. */
  public static Figures read(Path file) {
    try {
      Map<String, JsonObject> lines = new LinkedHashMap<>();
      List<String> texts = Files.readAllLines(file, StandardCharsets.UTF_8);
      for (int i = 0; i < texts.size(); i++) {
        JsonObject line = Json.parse(file + " line " + (i + 1), texts.get(i), JsonLimits.DATA);
        lines.put(line.getString(RUN), line);
      }
      return new Figures(file.toString(), lines);
    } catch (IOException e) {
      throw new InputException(
          file + " cannot be read (" + e + "); ./sortie bench paper --record makes it", e);
    }
  }

  /** Those of a file, none if it is not there. */
  static Figures readAny(Path file) {
    return Files.exists(file) ? read(file) : new Figures(file.toString(), Map.of());
  }

  /** Writes a line for each of {@code runs}, whole or not at all. */
  static void write(Path file, Map<Run, Map<String, Object>> runs) {
    StringBuilder text = new StringBuilder();
    runs.forEach(
        (run, figures) -> {
          Map<String, Object> line = new LinkedHashMap<>();
          line.put(RUN, run.id());
          line.put(COMMAND, run.line());
          line.putAll(figures);
          text.append(Json.compact(line)).append('\n');
        });
    AtomicFiles.write(file, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Those of a run.
   *
   * @throws InputException if there are none
   */
  JsonObject of(String id) {
    JsonObject line = lines.get(id);
    if (line == null) {
      throw new InputException(
          origin
              + ": has no figures of the run "
              + id
              + "; ./sortie bench paper --record makes them");
    }
    return line;
  }

  boolean isEmpty() {
    return lines.isEmpty();
  }

  /** The command that they came from. */
  public String command(String id) {
    return of(id).getString(COMMAND);
  }
}
