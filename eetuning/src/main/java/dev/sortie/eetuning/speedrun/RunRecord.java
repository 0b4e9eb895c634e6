package dev.sortie.eetuning.speedrun;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Which stages of a run are done, and how long each took: {@code speedrun.json} in its folder. A
 * stage that was interrupted is not in it. When the run resumes, its time is not known, which the
 * record remembers.
 */
public final class RunRecord {
  private static final String FORMAT = "sortie-speedrun";

  private final Path file;
  private final Map<String, Object> settings;
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private boolean interrupted;

  /**
   * The record of a folder.
   *
   * @param settings what decides the result, strings and numbers
   * @throws InputException if the folder holds a run with other settings
   */
  public static RunRecord open(Path folder, Map<String, Object> settings) {
    RunRecord record = new RunRecord(folder.resolve("speedrun.json"), settings);
    if (Files.exists(record.file)) {
      record.read();
    } else {
      record.write();
    }
    return record;
  }

  private RunRecord(Path file, Map<String, Object> settings) {
    this.file = file;
    this.settings = settings;
  }

  private void read() {
    JsonObject root = Json.read(file);
    root.getString("format", Set.of(FORMAT));
    root.getInt("version", 1, 1);
    JsonObject of = root.getObject("settings");
    settings.forEach(
        (name, value) -> {
          if (!String.valueOf(of.fields().get(name)).equals(value.toString())) {
            throw of.error(name, value + " as this command says; give another --out");
          }
        });
    for (JsonObject stage : root.getObjects("stages")) {
      seconds.put(stage.getString("command"), stage.getDouble("seconds", 0, 1e9));
    }
    interrupted = root.getBoolean("interrupted");
  }

  private void write() {
    List<Map<String, Object>> stages = new ArrayList<>();
    seconds.forEach((command, s) -> stages.add(Json.object("command", command, "seconds", s)));
    Json.write(
        file,
        Json.object(
            "format", FORMAT,
            "version", 1,
            "settings", settings,
            "interrupted", interrupted,
            "stages", stages));
  }

  /** Whether a stage is done. */
  public boolean isDone(String command) {
    return seconds.containsKey(command);
  }

  /** A stage ended well. */
  public void done(String command, double took) {
    seconds.put(command, took);
    write();
  }

  /** A stage was begun before, and did not end. */
  public void resumes() {
    interrupted = true;
    write();
  }

  /** Seconds by stage. */
  public Map<String, Double> seconds() {
    return new LinkedHashMap<>(seconds);
  }

  /** Seconds of all stages; empty if one of them was interrupted, whose time is not known. */
  public OptionalDouble total() {
    return interrupted
        ? OptionalDouble.empty()
        : OptionalDouble.of(seconds.values().stream().mapToDouble(s -> s).sum());
  }
}
