package dev.sortie.benchmarks.compare;

import dev.sortie.nn.json.JsonObject;
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
    for (JsonObject line : new KeptLines(file, of).read()) {
      done.put(
          new Unit(line.getDouble("temperature", 0, HOTTEST), line.getString("prompt")),
          line.getObjects("runs").stream().map(WayRun::read).toList());
    }
    return done;
  }

  /** Adds a line. */
  public void append(Unit unit, List<WayRun> runs) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("temperature", unit.temperature());
    line.put("prompt", unit.prompt());
    line.put("runs", runs.stream().map(WayRun::json).toList());
    new KeptLines(file, of).append(line);
  }
}
