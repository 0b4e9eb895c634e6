package dev.sortie.benchmarks.ranks;

import dev.sortie.nn.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A measured run of a command under some layout.
 *
 * @param round in which it ran, from 0
 * @param layout how
 * @param rate tokens a second of all its commands together, once the JVM has compiled
 * @param result what it made, the same for the same bits
 */
public record JobRun(int round, Layout layout, double rate, String result) {
  private static final double FASTEST = 1e9;

  /** From a line of a file. */
  public static JobRun read(JsonObject line) {
    return new JobRun(
        line.getInt("round", 0, Integer.MAX_VALUE),
        Layout.of(line.getString("layout")),
        line.getDouble("rate", Double.MIN_NORMAL, FASTEST),
        line.getString("result"));
  }

  /** As a line of a file. */
  public Map<String, Object> json() {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("round", round);
    line.put("layout", layout.word());
    line.put("rate", rate);
    line.put("result", result);
    return line;
  }
}
