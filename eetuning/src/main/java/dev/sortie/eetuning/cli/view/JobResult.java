package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.parallel.launch.LinePiece;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What the ranks of a job print on their standard output, passed on piece by piece; the last line
 * of each is its result if it is a JSON object. After a restart the later run's counts.
 * Thread-safe.
 */
public final class JobResult implements Consumer<LinePiece> {
  private static final JsonLimits LIMITS = JsonLimits.DATA;

  private final Consumer<LinePiece> shown;
  private final Map<Integer, StringBuilder> last = new TreeMap<>();

  /**
   * Nothing yet.
   *
   * @param shown where pieces are passed on to
   */
  public JobResult(Consumer<LinePiece> shown) {
    this.shown = shown;
  }

  /** A line of a rank, or a piece of one. */
  @Override
  public synchronized void accept(LinePiece piece) {
    piece.rank().ifPresent(rank -> collect(rank, piece));
    shown.accept(piece);
  }

  private void collect(int rank, LinePiece piece) {
    if (piece.begins()) {
      last.put(rank, new StringBuilder());
    }
    StringBuilder line = last.get(rank);
    // nothing is kept of a line that can be no result: it may be long, or have no end
    boolean object = piece.text().stripLeading().startsWith("{");
    if (piece.begins() ? object : !line.isEmpty()) {
      line.append(piece.text());
    }
    if (line.length() > LIMITS.maxBytes()) {
      last.put(rank, new StringBuilder());
    }
  }

  /** All of it, for a job of so many ranks that ended with {@code code}. */
  public synchronized Map<String, Object> json(int ranks, int code) {
    Map<String, Object> results = new TreeMap<>();
    last.forEach(
        (rank, line) -> object(line.toString()).ifPresent(o -> results.put(rank.toString(), o)));
    return Json.object("ranks", ranks, "exit_code", code, "results", results);
  }

  private static Optional<JsonObject> object(String line) {
    try {
      return Optional.of(Json.parse("a rank's output", line, LIMITS));
    } catch (InputException e) {
      return Optional.empty(); // other output
    }
  }
}
