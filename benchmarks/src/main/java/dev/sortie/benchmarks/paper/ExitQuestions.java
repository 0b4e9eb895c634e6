package dev.sortie.benchmarks.paper;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.plot.LossPlot;
import dev.sortie.eetuning.plot.Palette;
import dev.sortie.eetuning.plot.PlotFrame;
import dev.sortie.eetuning.plot.ScatterPlot;
import dev.sortie.eetuning.plot.Svg;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Questions about exits: architecture, tokens, depth, initialisation, objective, head.
 *
 * @param figures of all runs
 */
record ExitQuestions(Figures figures) {
  private static final List<String> ARCHITECTURES = List.of("embedding", "norm", "mlp", "layer");
  private static final List<Integer> STEPS = List.of(0, 64, 256);
  private static final List<String> DEPTHS = List.of("2", "4", "6", "8", "10");
  private static final int TOKENS_PER_STEP = 4 * 128;
  private static final String LONGEST = "256";

  /** The exit that stands for all where there is room for one. */
  private static final String MIDDLE = "6";

  private static final String DEEP = "10";

  private static final PlotFrame.Names AGREEMENT_BY_DEPTH =
      new PlotFrame.Names("exit after layer", "", "agreement with the final layer", 100, "%");

  void write(PageText page) {
    architectures(page);
    depths(page);
    initialisation(page);
    objectives(page);
    heads(page);
  }

  private void architectures(PageText page) {
    List<ScatterPlot.Series> series = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    for (String arch : ARCHITECTURES) {
      List<ScatterPlot.Point> points = new ArrayList<>();
      List<String> row = new ArrayList<>(List.of("`" + arch + "`"));
      row.add(
          NumberText.count(
              figures.of("start-" + arch).getLong("parameters", 0, Long.MAX_VALUE)
                  / DEPTHS.size()));
      for (int steps : STEPS) {
        Score score = score(arch + "-" + steps, MIDDLE);
        points.add(point(thousands(steps), score.agreement(), arch + ", " + steps + " steps"));
        row.add(score.cell());
      }
      series.add(new ScatterPlot.Series(arch, points));
      rows.add(row);
    }
    List<String> head = new ArrayList<>(List.of("architecture", "parameters"));
    STEPS.forEach(s -> head.add(s == 0 ? "copied, not tuned" : thousands(s) + " K tokens"));
    page.heading(2, "Which architecture, and how much text?")
        .paragraph(
            "The paper: more trainable parameters give a lower loss; MLP is the best balance of"
                + " speed and quality (section 3.2).")
        .picture(
            "architectures",
            "Agreement of the exit after layer 6 over tokens, by architecture.",
            ScatterPlot.draw(
                "architectures",
                "Exit after layer 6: agreement over tokens",
                describe(series),
                series,
                new ScatterPlot.Axes(
                    new PlotFrame.Names(
                        "thousand tokens", "", "agreement with the final layer", 100, "%"),
                    0,
                    0,
                    1,
                    0)),
            new Palette(List.of()))
        .paragraph(
            "Here, after %s K tokens: %s. The final layer's own loss is %s.%s"
                .formatted(
                    thousands(Integer.parseInt(LONGEST)),
                    ranking(a -> score(a + "-" + LONGEST, MIDDLE)),
                    NumberText.fixed(score("mlp-" + LONGEST, "final").nll(), 3),
                    best().equals("mlp")
                        ? ""
                        : " `%s` leads, not `mlp`; [why](LOG.md#which-architecture-of-exits-agrees-most) that may be."
                            .formatted(best())))
        .table(head, rows)
        .paragraph("Exit after layer 6: loss, agreement. Parameters are those of one exit.")
        .commands(Experiment.ARCHITECTURE);
  }

  private String best() {
    return ARCHITECTURES.stream()
        .max(Comparator.comparingDouble(a -> score(a + "-" + LONGEST, MIDDLE).agreement()))
        .orElseThrow();
  }

  private void depths(PageText page) {
    List<ScatterPlot.Series> series = new ArrayList<>();
    for (String arch : ARCHITECTURES) {
      series.add(new ScatterPlot.Series(arch, byDepth(arch, arch + "-" + LONGEST)));
    }
    List<List<String>> rows = new ArrayList<>();
    for (String depth : DEPTHS) {
      List<String> row = new ArrayList<>(List.of(depth));
      ARCHITECTURES.forEach(arch -> row.add(score(arch + "-" + LONGEST, depth).cell()));
      rows.add(row);
    }
    page.heading(2, "After which layer?")
        .paragraph("The paper: the deeper the exit, the lower its loss.")
        .picture(
            "depth",
            "Agreement by depth, a line for each architecture.",
            depthPlot("depth", "Agreement by depth, after 256 steps", series),
            new Palette(List.of()))
        .paragraph(
            "Here: `mlp` goes from %s after layer 2 to %s after layer 10 of 12; the last two"
                    .formatted(
                        score("mlp-" + LONGEST, "2").percent(),
                        score("mlp-" + LONGEST, DEEP).percent())
                + " layers still choose another token for the rest. `layer` is ahead of `mlp` by"
                + " %s points after layer 2 and by %s after layer 10."
                    .formatted(lead("2"), lead(DEEP)))
        .table(head("exit after layer", ARCHITECTURES), rows)
        .paragraph("Loss, agreement after 256 steps; the commands are those above.");
  }

  private String lead(String depth) {
    return NumberText.fixed(
        100
            * (score("layer-" + LONGEST, depth).agreement()
                - score("mlp-" + LONGEST, depth).agreement()),
        1);
  }

  private void initialisation(PageText page) {
    SequencedMap<String, List<LossPlot.Point>> curves = new LinkedHashMap<>();
    curves.put("random", curve("tune-layer-random"));
    curves.put("copied", curve("tune-layer-" + LONGEST));
    Palette palette = new Palette(List.copyOf(curves.keySet()));
    List<LossPlot.Series> lines = new ArrayList<>();
    curves.forEach(
        (name, points) -> lines.add(new LossPlot.Series(name, palette.index(name), points)));
    List<List<String>> rows = new ArrayList<>();
    for (String arch : ARCHITECTURES) {
      rows.add(
          List.of(
              "`" + arch + "`",
              score(arch + "-" + LONGEST, MIDDLE).cell(),
              score(arch + "-random", MIDDLE).cell(),
              score(arch + "-" + LONGEST, DEEP).cell(),
              score(arch + "-random", DEEP).cell()));
    }
    long better =
        ARCHITECTURES.stream()
            .filter(
                a ->
                    score(a + "-" + LONGEST, DEEP).agreement()
                        > score(a + "-random", DEEP).agreement())
            .count();
    page.heading(2, "Copied or random weights?")
        .paragraph(
            "The paper: exits that begin with copies of the backbone's modules converge faster.")
        .picture(
            "initialisation",
            "Loss of a layer exit over steps, copied and random.",
            LossPlot.draw("initialisation", "layer exit after layer 6: loss while tuning", lines),
            palette)
        .paragraph(
            "Here: after the same %s K tokens the copied exit after layer 10 agrees more often for %d of %d"
                    .formatted(thousands(Integer.parseInt(LONGEST)), better, ARCHITECTURES.size())
                + " architectures; for `mlp` by %s points after layer 10 and %s after layer 6."
                    .formatted(ahead(DEEP), ahead(MIDDLE)))
        .table(
            List.of(
                "architecture",
                "layer 6, copied",
                "layer 6, random",
                "layer 10, copied",
                "layer 10, random"),
            rows)
        .commands(Experiment.INITIALISATION);
  }

  private String ahead(String depth) {
    return NumberText.fixed(
        100 * (score("mlp-" + LONGEST, depth).agreement() - score("mlp-random", depth).agreement()),
        1);
  }

  private void objectives(PageText page) {
    SequencedMap<String, String> runs = new LinkedHashMap<>();
    runs.put("next token, equal", "mlp-ce-equal");
    runs.put("next token, by confidence", "mlp-ce-confidence");
    runs.put("distribution, equal", "mlp-kl-equal");
    runs.put("distribution, by confidence", "mlp-kl-confidence");
    List<ScatterPlot.Series> series = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    runs.forEach(
        (name, run) -> {
          series.add(new ScatterPlot.Series(name, byDepth(name, run)));
          List<String> row = new ArrayList<>(List.of(name));
          DEPTHS.forEach(depth -> row.add(score(run, depth).cell()));
          rows.add(row);
        });
    List<String> head = head("target, weights", DEPTHS.stream().map(d -> "layer " + d).toList());
    page.heading(2, "Which objective, and are all tokens equal?")
        .paragraph(
            "The paper tunes to the next token of a text (`--objective ce`); its code can weight"
                + " each token by the exit's own confidence (`--token-weights confidence`)."
                + " `--objective kl` takes the final layer's distribution as target.")
        .picture(
            "objective",
            "Agreement by depth, a line for each objective.",
            depthPlot("objective", "mlp exits: agreement by depth and objective", series),
            new Palette(List.of()))
        .paragraph(
            "Here: the final layer's distribution as target changes agreement by %s points after layer 6 and %s after layer 10;"
                    .formatted(
                        change("mlp-kl-equal", "mlp-ce-equal", MIDDLE),
                        change("mlp-kl-equal", "mlp-ce-equal", DEEP))
                + " weights by confidence by %s and %s. The first row repeats a run of the first question: its exits have %s bytes."
                    .formatted(
                        change("mlp-ce-confidence", "mlp-ce-equal", MIDDLE),
                        change("mlp-ce-confidence", "mlp-ce-equal", DEEP),
                        sha("tune-mlp-ce-equal").equals(sha("tune-mlp-" + LONGEST))
                            ? "the same"
                            : "other"))
        .table(head, rows)
        .commands(Experiment.OBJECTIVE);
  }

  private String change(String to, String from, String depth) {
    double points = 100 * (score(to, depth).agreement() - score(from, depth).agreement());
    return (points > 0 ? "+" : "") + NumberText.fixed(points, 1);
  }

  private String sha(String run) {
    return figures.of(run).getString("exits_sha256");
  }

  private void heads(PageText page) {
    List<List<String>> rows = new ArrayList<>();
    for (String run : List.of("mlp-" + LONGEST, "mlp-tied")) {
      boolean tied = run.equals("mlp-tied");
      List<String> row = new ArrayList<>(List.of(tied ? "the backbone's, frozen" : "own"));
      row.add(
          NumberText.count(
              figures
                      .of(tied ? "start-mlp-tied" : "start-mlp")
                      .getLong("parameters", 0, Long.MAX_VALUE)
                  / DEPTHS.size()));
      DEPTHS.forEach(depth -> row.add(score(run, depth).cell()));
      rows.add(row);
    }
    page.heading(2, "Does an exit need a head of its own?")
        .paragraph("The paper gives each exit its own output embedding.")
        .paragraph(
            "Here: without it, agreement changes by %s points after layer 2 and %s after layer 10."
                .formatted(
                    change("mlp-tied", "mlp-" + LONGEST, "2"),
                    change("mlp-tied", "mlp-" + LONGEST, DEEP)))
        .table(
            Stream.concat(Stream.of("head", "parameters"), DEPTHS.stream().map(d -> "layer " + d))
                .toList(),
            rows)
        .commands(Experiment.HEAD);
  }

  private Score score(String run, String exit) {
    return Score.of(figures, "score-" + run).get(exit);
  }

  private List<ScatterPlot.Point> byDepth(String name, String run) {
    return DEPTHS.stream()
        .map(d -> point(Double.parseDouble(d), score(run, d).agreement(), name + ", layer " + d))
        .toList();
  }

  private static ScatterPlot.Point point(double x, double agreement, String hint) {
    String percent = NumberText.fixed(100 * agreement, 1) + " %";
    return new ScatterPlot.Point(x, agreement, "", hint + ": " + percent);
  }

  private static Svg depthPlot(String id, String title, List<ScatterPlot.Series> series) {
    return ScatterPlot.draw(
        id, title, describe(series), series, new ScatterPlot.Axes(AGREEMENT_BY_DEPTH, 2, 0, 1, 0));
  }

  private List<LossPlot.Point> curve(String run) {
    JsonObject curve = figures.of(run).getObject("curve");
    List<Double> means = curve.getDoubles(MIDDLE, 0, 1e6);
    List<LossPlot.Point> points = new ArrayList<>();
    for (int i = 0; i < means.size(); i++) {
      points.add(new LossPlot.Point((i + 1) * RunReader.STEPS, means.get(i)));
    }
    return points;
  }

  private static String ranking(Function<String, Score> score) {
    return ARCHITECTURES.stream()
        .sorted(Comparator.comparingDouble(a -> -score.apply(a).agreement()))
        .map(a -> "`%s` %s".formatted(a, score.apply(a).percent()))
        .collect(Collectors.joining(", "));
  }

  private static String describe(List<ScatterPlot.Series> series) {
    return series.stream()
        .map(s -> s.points().getLast().hint())
        .collect(Collectors.joining("; ", "", "."));
  }

  private static List<String> head(String first, List<String> others) {
    return Stream.concat(Stream.of(first), others.stream()).toList();
  }

  private static int thousands(int steps) {
    return Math.round(steps * TOKENS_PER_STEP / 1000f);
  }
}
