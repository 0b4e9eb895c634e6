package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the ranks of a job print on their standard output, passed on line by line; the last line of
 * each is its result if it is a JSON object. After a restart the later run's counts. Thread-safe.
 */
public final class JobResult implements Consumer<String> {
  private static final Pattern LINE = Pattern.compile("\\[(\\d+)] (.*)", Pattern.DOTALL);

  private final Consumer<String> shown;
  private final Map<Integer, String> last = new TreeMap<>();

  /**
   * Nothing yet.
   *
   * @param shown where lines are passed on to
   */
  public JobResult(Consumer<String> shown) {
    this.shown = shown;
  }

  /** A line with its rank in front, as {@code [0] text}. */
  @Override
  public synchronized void accept(String line) {
    Matcher m = LINE.matcher(line);
    if (m.matches()) {
      last.put(Integer.valueOf(m.group(1)), m.group(2));
    }
    shown.accept(line);
  }

  /** All of it, for a job of so many ranks that ended with {@code code}. */
  public synchronized Map<String, Object> json(int ranks, int code) {
    Map<String, Object> results = new TreeMap<>();
    last.forEach((rank, line) -> object(line).ifPresent(o -> results.put(rank.toString(), o)));
    return Json.object("ranks", ranks, "exit_code", code, "results", results);
  }

  private static Optional<JsonObject> object(String line) {
    try {
      return Optional.of(Json.parse("a rank's output", line, JsonLimits.DATA));
    } catch (InputException e) {
      return Optional.empty(); // other output
    }
  }
}
