package dev.sortie.benchmarks.report;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A recorded result: a line of the results file.
 *
 * @param name of the comparison
 * @param peer with its version
 * @param device machine, threads and kernels
 * @param java the JVM
 * @param date ISO 8601
 * @param commit that was measured
 * @param geomean of the ratios that count, of all where the line has none
 * @param cases the rows that have a ratio
 */
public record Recorded(
    String name,
    String peer,
    String device,
    String java,
    String date,
    String commit,
    double geomean,
    List<Case> cases) {
  private static final double LARGEST = 1e12;

  /**
   * A row.
   *
   * @param name the case
   * @param ours our rate
   * @param peer the peer's
   * @param unit of both
   * @param ratio above 1 where we are ahead
   */
  public record Case(String name, double ours, double peer, String unit, double ratio) {}

  /** All results in a file that have a peer, oldest first. */
  public static List<Recorded> read(Path file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new InputException(
          file
              + " cannot be read ("
              + e
              + "); record results with ./sortie bench compare NAME --record",
          e);
    }
    List<Recorded> all = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).isBlank()) {
        JsonObject line = Json.parse(file + " line " + (i + 1), lines.get(i), JsonLimits.CONFIG);
        if (line.getObjects("rows").stream().anyMatch(Recorded::isCompared)) {
          all.add(of(line));
        }
      }
    }
    return all;
  }

  /** The newest run of each comparison on each device, in the order in which they first appear. */
  static Collection<Recorded> newest(List<Recorded> all) {
    Map<String, Recorded> newest = new LinkedHashMap<>();
    all.forEach(r -> newest.put(r.name() + " on " + r.device(), r));
    return newest.values();
  }

  /** A row of our own times alone has no ratio. */
  private static boolean isCompared(JsonObject row) {
    return row.contains("ratio");
  }

  private static Recorded of(JsonObject o) {
    List<Case> cases =
        o.getObjects("rows").stream()
            .filter(Recorded::isCompared)
            .map(
                r ->
                    new Case(
                        r.getString("case"),
                        r.getDouble("ours", 0, LARGEST),
                        r.getDouble("peer", 0, LARGEST),
                        r.getString("unit"),
                        r.getDouble("ratio", Double.MIN_NORMAL, LARGEST)))
            .toList();
    return new Recorded(
        o.getString("name"),
        o.getString("peer"),
        o.getString("device"),
        o.getString("java"),
        o.getString("date"),
        o.getString("commit"),
        o.has("geomean")
            ? o.getDouble("geomean", Double.MIN_NORMAL, LARGEST)
            : Figure.geomean(cases.stream().mapToDouble(Case::ratio)),
        cases);
  }
}
