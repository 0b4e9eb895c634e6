package dev.sortie.benchmarks.paper;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.plot.Palette;
import dev.sortie.eetuning.plot.PlotFrame;
import dev.sortie.eetuning.plot.RatioBars;
import dev.sortie.eetuning.plot.ScatterPlot;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/**
 * Questions about running: thresholds, ranks, memory, and what is measured.
 *
 * @param figures of all runs, repeated by each
 * @param measured speeds and memory
 */
record SystemQuestions(Figures figures, Figures measured) {
  private static final double LARGEST = 1e15;
  private static final double AGREEMENT = 0.95;
  private static final String EVERY = "all exits";
  private static final List<String> DRAWN = List.of(EVERY, "exit 2", "exit 6", "exit 10");

  /** Runs of memory and cost by what they train. */
  private static final SequencedMap<String, String> TRAINED = trained();

  private static SequencedMap<String, String> trained() {
    SequencedMap<String, String> names = new LinkedHashMap<>();
    names.put("full", "all of the model");
    names.put("joint", "the model with 5 `mlp` exits");
    names.put("embedding", "5 `embedding` exits");
    names.put("norm", "5 `norm` exits");
    names.put("mlp", "5 `mlp` exits");
    names.put("layer", "5 `layer` exits");
    return names;
  }

  /** A way of decoding. */
  private record Setting(String exits, double threshold, double value, double depth) {}

  void thresholds(PageText page) {
    List<Setting> all = settings(figures, "thresholds", "agreement");
    SequencedMap<String, ScatterPlot.Series> series = new LinkedHashMap<>();
    all.forEach(
        s ->
            series
                .computeIfAbsent(s.exits, e -> new ScatterPlot.Series(e, new ArrayList<>()))
                .points()
                .add(
                    new ScatterPlot.Point(
                        s.depth,
                        s.value,
                        s.exits.equals(EVERY) ? plain(s.threshold) : "",
                        "%s at %s: %s of 12 layers, agreement %s"
                            .formatted(
                                s.exits,
                                plain(s.threshold),
                                NumberText.fixed(s.depth, 2),
                                percent(s.value)))));
    Optional<Setting> shallowest =
        all.stream()
            .filter(s -> s.value >= AGREEMENT)
            .min(Comparator.comparingDouble(Setting::depth));
    page.heading(2, "Which threshold?")
        .paragraph(
            "A token leaves at the first exit whose largest probability reaches the threshold. The"
                + " paper sweeps one threshold for all exits and finds 1.2 to 1.6 times the speed"
                + " without loss of quality.")
        .picture(
            "thresholds",
            "Agreement over mean depth, a line for each set of exits.",
            ScatterPlot.draw(
                "thresholds",
                "Agreement with full depth, over the mean depth of tokens",
                all.stream()
                    .map(s -> s.exits + " at " + plain(s.threshold) + ": " + percent(s.value))
                    .collect(Collectors.joining("; ", "", ".")),
                drawn(series),
                new ScatterPlot.Axes(
                    new PlotFrame.Names("mean depth, layers", "", "agreement", 100, "%"),
                    12,
                    0,
                    1,
                    1)),
            new Palette(List.of()))
        .paragraph(
            shallowest
                    .map(
                        s ->
                            "Here: with agreement of at least 95 %%, the fewest layers are %s of 12, by %s at threshold %s. "
                                .formatted(
                                    NumberText.fixed(s.depth, 1), s.exits, plain(s.threshold)))
                    .orElse("Here: no threshold of the sweep keeps 95 % of the tokens. ")
                + "Its speed: [measured](#how-fast-is-decoding).")
        .table(
            List.of("exits", "threshold", "mean depth, layers", "agreement"),
            all.stream()
                .map(
                    s ->
                        List.of(
                            s.exits,
                            plain(s.threshold),
                            NumberText.fixed(s.depth, 2),
                            percent(s.value)))
                .toList())
        .commands(Experiment.THRESHOLDS);
  }

  /** Those that four colours tell apart; the table has all. */
  private static List<ScatterPlot.Series> drawn(Map<String, ScatterPlot.Series> series) {
    return series.values().stream().filter(s -> DRAWN.contains(s.name())).toList();
  }

  private static List<Setting> settings(Figures figures, String run, String name) {
    List<Setting> all = new ArrayList<>();
    for (JsonObject s : figures.of(run).getObjects("settings")) {
      List<Integer> active = s.getInts("active_exits", 1, 1000);
      double threshold = s.getDouble("threshold", 0, 1);
      if (threshold < 1) { // at 1 nothing leaves
        all.add(
            new Setting(
                active.size() > 1 ? EVERY : "exit " + active.getFirst(),
                threshold,
                s.getDouble(name, 0, 1e6),
                s.has("mean_depth") ? s.getDouble("mean_depth", 0, 1e6) : 0));
      }
    }
    return all;
  }

  void ranks(PageText page) {
    SequencedMap<String, String> layouts = new LinkedHashMap<>();
    layouts.put("ranks-one", "one");
    layouts.put("ranks-dp2", "2, data parallel");
    layouts.put("ranks-pp2", "2, pipeline");
    layouts.put("ranks-dp2-pp2", "4, both");
    layouts.put("ranks-tp2", "2, tensor parallel");
    String one = figures.of("ranks-one").getString("exits_sha256");
    List<List<String>> rows = new ArrayList<>();
    int same = 0;
    for (var layout : layouts.entrySet()) {
      String sha = figures.of(layout.getKey()).getString("exits_sha256");
      same += sha.equals(one) ? 1 : 0;
      rows.add(
          List.of(
              layout.getValue(),
              "`" + sha.substring(0, 12) + "`",
              sha.equals(one) ? "the same" : "other",
              difference(layout.getKey())));
    }
    page.heading(2, "One rank or several?")
        .paragraph(
            "The paper tunes on a pipeline that sends activations forward only. In Sortie, data and"
                + " pipeline parallelism give the exits of one rank, bit for bit; tensor"
                + " parallelism sums in another order.")
        .paragraph(
            "Here: %d of the %d other layouts write the bytes that one rank writes."
                .formatted(same - 1, layouts.size() - 1))
        .table(
            List.of("ranks", "exits, SHA-256", "compared with one", "largest difference of a loss"),
            rows)
        .commands(Experiment.RANKS);
  }

  private String difference(String run) {
    JsonObject one = figures.of("ranks-one").getObject("losses");
    JsonObject other = figures.of(run).getObject("losses");
    double most = 0;
    for (String exit : one.fields().keySet()) {
      most = Math.max(most, Math.abs(one.getDouble(exit, 0, 1e6) - other.getDouble(exit, 0, 1e6)));
    }
    return most == 0 ? "0" : "%.1e".formatted(most);
  }

  void memory(PageText page) {
    List<List<String>> rows = new ArrayList<>();
    TRAINED.forEach(
        (run, name) -> {
          JsonObject m = figures.of("memory-" + run);
          List<String> row = new ArrayList<>(List.of(name));
          List.of("weights", "exits", "optimizer", "activations", "buffers")
              .forEach(part -> row.add(mebi(bytes(m, part + "_bytes"))));
          row.add(mebi(total(run)));
          rows.add(row);
        });
    page.heading(2, "How much memory does it take?")
        .paragraph(
            "The paper: no activations, gradients or optimiser state of the backbone are kept.")
        .paragraph(
            "Here: tuning 5 `mlp` exits needs %s %% of what training the model with them needs."
                .formatted(NumberText.fixed(100.0 * total("mlp") / total("joint"), 0)))
        .table(
            List.of("trained", "weights", "exits", "optimiser", "activations", "buffers", "total"),
            rows)
        .paragraph(
            "MiB as planned before a run, without the JVM's own; micro-batches of 4 × 128 tokens.")
        .commands(Experiment.MEMORY);
  }

  private static long bytes(JsonObject o, String name) {
    return o.getLong(name, 0, Long.MAX_VALUE);
  }

  private long total(String run) {
    JsonObject m = figures.of("memory-" + run);
    return m.fields().keySet().stream()
        .filter(name -> name.endsWith("_bytes"))
        .mapToLong(name -> bytes(m, name))
        .sum();
  }

  void cost(PageText page) {
    Map<String, Double> rates = new LinkedHashMap<>();
    TRAINED
        .keySet()
        .forEach(
            run ->
                rates.put(
                    run,
                    measured.of("cost-" + run).getDouble("steady_tokens_per_second", 0, LARGEST)));
    List<RatioBars.Bar> bars = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    TRAINED.forEach(
        (run, name) -> {
          double ratio = rates.get(run) / rates.get("joint");
          long peak = bytes(measured.of("cost-" + run), "peak_resident_bytes");
          String rate = NumberText.count(Math.round(rates.get(run)));
          bars.add(new RatioBars.Bar(name.replace("`", ""), ratio, rate + " tokens/s"));
          rows.add(List.of(name, rate, NumberText.fixed(ratio, 2), mebi(peak)));
        });
    page.picture(
            "cost",
            "Speed of training, relative to the model with exits.",
            RatioBars.draw("cost", "Tokens per second, relative to training model and exits", bars),
            new Palette(List.of()))
        .paragraph(
            "Here: tuning 5 `mlp` exits runs %s times as fast as training the model with them, and %s times as fast as training the model alone."
                .formatted(
                    NumberText.fixed(rates.get("mlp") / rates.get("joint"), 2),
                    NumberText.fixed(rates.get("mlp") / rates.get("full"), 2)))
        .table(
            List.of("trained", "tokens/s", "relative to model with exits", "peak memory, MiB"),
            rows)
        .paragraph("Speed of the later half of the steps. Memory is the process's, JVM included.")
        .paragraph(machine("cost-full"));
  }

  void speed(PageText page) {
    List<Setting> agreements = settings(measured, "speed", "agreement");
    List<Setting> speeds = settings(measured, "speed", "speedup");
    SequencedMap<String, ScatterPlot.Series> series = new LinkedHashMap<>();
    List<List<String>> rows = new ArrayList<>();
    double best = 0;
    for (int i = 0; i < speeds.size(); i++) {
      Setting a = agreements.get(i);
      double speed = speeds.get(i).value;
      best = a.value >= AGREEMENT ? Math.max(best, speed) : best;
      String text = NumberText.fixed(speed, 2);
      series
          .computeIfAbsent(a.exits, e -> new ScatterPlot.Series(e, new ArrayList<>()))
          .points()
          .add(
              new ScatterPlot.Point(
                  speed,
                  a.value,
                  a.exits.equals(EVERY) ? plain(a.threshold) : "",
                  a.exits + " at " + plain(a.threshold) + ": " + text));
      rows.add(List.of(a.exits, plain(a.threshold), text, percent(a.value)));
    }
    page.picture(
            "speed",
            "Agreement over speed relative to full depth.",
            ScatterPlot.draw(
                "speed",
                "Agreement over speed, relative to full depth",
                rows.stream()
                    .map(r -> String.join(" ", r))
                    .collect(Collectors.joining("; ", "", ".")),
                drawn(series),
                new ScatterPlot.Axes(
                    new PlotFrame.Names("speed relative to full depth", "", "agreement", 100, "%"),
                    1,
                    0,
                    1,
                    1)),
            new Palette(List.of()))
        .paragraph(
            "Here: of the settings that keep 95 % of the tokens, the fastest runs at "
                + NumberText.fixed(best, 2)
                + " times the speed of full depth."
                + (best < 1
                    ? " None pays: few tokens leave after so little tuning, and each exit that is"
                        + " asked costs a layer and as much again for its head. With more"
                        + " tuning, on a larger model, [they do](decoding-speed.md)."
                    : ""))
        .table(List.of("exits", "threshold", "speed", "agreement"), rows)
        .paragraph(machine("speed") + " Each setting is paired with full depth.");
  }

  private String machine(String run) {
    JsonObject line = measured.of(run);
    return "Measured: %s, %s.".formatted(line.getString("machine"), line.getString("date"));
  }

  private static String plain(double x) {
    return NumberText.plain(x);
  }

  private static String percent(double share) {
    return NumberText.fixed(100 * share, 1) + " %";
  }

  private static String mebi(long bytes) {
    return NumberText.fixed(bytes / 1048576.0, 1);
  }
}
