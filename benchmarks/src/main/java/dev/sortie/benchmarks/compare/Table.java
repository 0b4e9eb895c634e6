package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.measure.Figure;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A result for people. */
public final class Table {
  private Table() {}

  /** One row as a line, such as is shown while it runs. */
  static String line(Row r) {
    String extra =
        r.extra().entrySet().stream()
            .map(e -> e.getKey() + " " + e.getValue())
            .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        "%-34s ours %10s  peer %10s %-8s ratio %.3f  %s",
        r.name(),
        Figure.text(r.ours()),
        Figure.text(r.peer()),
        r.unit(),
        r.ratio(),
        extra);
  }

  /** The whole result. */
  public static String of(Result r) {
    StringBuilder out = new StringBuilder();
    out.append("%s against %s%n".formatted(r.name(), r.peer()));
    out.append(
        "%s, %s, %s%n".formatted(r.machine().cpu(), r.machine().java(), r.machine().kernels()));
    out.append("limits: ").append(limits(r.limits().describe())).append(System.lineSeparator());
    r.rows().forEach(row -> out.append(line(row)).append(System.lineSeparator()));
    if (r.groups().size() > 1) {
      r.groups()
          .forEach(
              (group, mean) ->
                  out.append(String.format(Locale.ROOT, "geomean %s: %.3f%n", group, mean)));
    }
    out.append(String.format(Locale.ROOT, "geomean: %.3f (above 1: Sortie is ahead)", r.geomean()));
    return out.toString();
  }

  private static String limits(Map<String, Object> limits) {
    return limits.entrySet().stream()
        .map(e -> e.getKey() + " " + e.getValue())
        .collect(Collectors.joining(", "));
  }
}
