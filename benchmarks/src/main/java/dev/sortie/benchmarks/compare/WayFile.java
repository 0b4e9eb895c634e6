package dev.sortie.benchmarks.compare;

import dev.sortie.eetuning.eval.JsonLines;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Runs on disk, a prompt at a temperature a line, so that a long benchmark can be cut in pieces.
 *
 * @param file the file
 * @param of settings, the same in all lines
 */
public record WayFile(Path file, String of) {
  private static final double HOTTEST = 1e3;

  /** What a line is about. */
  public record Unit(double temperature, String prompt) {}

  /** The lines that are there. */
  public SequencedMap<Unit, List<WayRun>> read() {
    SequencedMap<Unit, List<WayRun>> done = new LinkedHashMap<>();
    if (!Files.exists(file)) {
      return done;
    }
    for (JsonObject line : JsonLines.read(file)) {
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
      done.put(
          new Unit(line.getDouble("temperature", 0, HOTTEST), line.getString("prompt")),
          line.getObjects("runs").stream().map(WayRun::read).toList());
    }
    return done;
  }

  /** Adds a line. */
  public void append(Unit unit, List<WayRun> runs) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("of", of);
    line.put("temperature", unit.temperature());
    line.put("prompt", unit.prompt());
    line.put("runs", runs.stream().map(WayRun::json).toList());
    try {
      JsonLines.append(file, line);
    } catch (IOException e) {
      throw new InputException(
          "--out " + file + " cannot be written (" + e + "); give a file in a folder that exists",
          e);
    }
  }
}
