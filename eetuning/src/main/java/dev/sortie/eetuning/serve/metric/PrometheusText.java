package dev.sortie.eetuning.serve.metric;

import java.util.Map;

/** Metrics in the text format of Prometheus, version 0.0.4. */
final class PrometheusText {
  private final StringBuilder text = new StringBuilder();

  void gauge(String name, String help, long value) {
    head(name, help, "gauge");
    text.append(name).append(' ').append(value).append('\n');
  }

  void counter(String name, String help, long value) {
    head(name, help, "counter");
    text.append(name).append(' ').append(value).append('\n');
  }

  /** Counts by one label. */
  void counters(String name, String help, String label, Map<String, Long> counts) {
    head(name, help, "counter");
    counts.forEach(
        (value, count) ->
            text.append("%s{%s=\"%s\"} %d\n".formatted(name, label, escaped(value), count)));
  }

  void histogram(String name, String help, Durations durations) {
    head(name, help, "histogram");
    long[] counts = durations.cumulative();
    for (int i = 0; i < counts.length; i++) {
      String bound = i < Durations.BOUNDS.length ? String.valueOf(Durations.BOUNDS[i]) : "+Inf";
      text.append("%s_bucket{le=\"%s\"} %d\n".formatted(name, bound, counts[i]));
    }
    text.append(name).append("_sum ").append(durations.sum()).append('\n');
    text.append(name).append("_count ").append(counts[counts.length - 1]).append('\n');
  }

  private void head(String name, String help, String type) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
  }

  private static String escaped(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
