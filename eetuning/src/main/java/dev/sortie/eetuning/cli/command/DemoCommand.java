package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.CommandLines;
import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.ExitWords;
import dev.sortie.eetuning.cli.view.ColouredText;
import dev.sortie.eetuning.cli.view.DemoTable;
import dev.sortie.eetuning.cli.view.DemoView;
import dev.sortie.eetuning.eval.Demo;
import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.DemoSample;
import dev.sortie.eetuning.eval.Sweep;
import dev.sortie.eetuning.eval.report.DemoJson;
import dev.sortie.eetuning.eval.report.DemoReport;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The whole main job on the embedded model. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the whole workflow on the embedded model: adds exits, tunes them "
          + "on text sampled from the model, and decodes with early exits, with "
          + "speculation and with both, each paired with full depth. The exits that "
          + "come with the model are decoded with for comparison. Writes "
          + "report.html and results.json.",
      "Takes a few minutes and, while it tunes, 400 MB of disk. Nothing is downloaded."
    })
public final class DemoCommand implements Callable<Integer> {
  private static final List<String> PROMPTS =
      List.of(
          "Once upon a time, there was a little girl named Lily.",
          "One day, a curious fox",
          "Long ago, a proud king lived in a castle.",
          "Once there was a brave mouse who lived near a dark forest.",
          "It was a rainy morning, and two friends named Ben and Mia",
          "Far away, a lonely dragon lived on a green hill.",
          "Once upon a time, there was a boy named Tom who loved boats.",
          "It was a cold night, and a kind princess",
          "In a small village, there lived a baker named Rose.",
          "One day, a clever frog found a shiny stone.",
          "One sunny morning, a small rabbit named Pip",
          "Once there was an old bear who lived by the sea.");

  private static final List<Double> THRESHOLDS =
      List.of(1.0, 0.65, 0.6, 0.57, 0.55, 0.53, 0.5, 0.4);

  private static final int MOST_ROUNDS = 1000;

  /** Those of the thresholds whose texts are printed. */
  private static final Set<Double> PRINTED = Set.of(0.6, 0.5, 0.4);

  @Mixin private ComputeMixin compute;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "sortie-demo",
      description = "Output folder. Default: ${DEFAULT-VALUE}.")
  private Path out;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "300",
      description = "Tuning steps. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--text",
      paramLabel = "N",
      defaultValue = "24",
      description = "Batches of 16 sampled texts to tune on. Default: ${DEFAULT-VALUE}.")
  private int textBatches;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Rounds of the speed measurement. In each round, every setting decodes 12 "
              + "prompts, paired with full depth. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "96",
      description =
          "Tokens to decode per prompt where speed is measured. Default: ${DEFAULT-VALUE}.")
  private int tokens;

  // The cheapest exit wins. On the fable before 2026-11-29 the fastest setting that agrees for at
  // least 95 % of the tokens was 1.14 times full depth with norm, 1.02 with layer (a third of the
  // KL, three times the cost) and 1.02 with mlp; Zen 4, two cores.
  @Option(
      names = "--arch",
      paramLabel = "ARCH",
      defaultValue = "norm",
      completionCandidates = ExitWords.Architectures.class,
      description = "Exits: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private String architecture;

  @Option(
      names = "--draft-head",
      paramLabel = "N",
      defaultValue = "512",
      description =
          "Restrict the heads of the exits to the N most frequent tokens of the sampled "
              + "text. 0: all tokens. Default: ${DEFAULT-VALUE}.")
  private int draftTokens;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Random seed for sampling and tuning. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(names = "--json", description = "Print the contents of results.json to standard output.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (steps < 1 || textBatches < 2 || rounds < 1 || tokens < 2) {
      throw new UsageException(
          "--steps and --rounds must be at least 1, --text and --tokens at least 2");
    }
    if (rounds > MOST_ROUNDS) {
      throw new UsageException("--rounds " + rounds + " must be at most " + MOST_ROUNDS);
    }
    if (Files.exists(out.resolve("results.json"))) {
      throw new InputException("--out " + out + " holds results already; give another folder");
    }
    try (OutputFolder folder = new OutputFolder(out);
        Device device = compute.open();
        LanguageModel m = LanguageModel.load(EmbeddedFolder.FABLE.path(), Precision.F32, device);
        DemoView view = new DemoView()) {
      int vocab = m.config().decoder().vocab();
      if (draftTokens < 0 || draftTokens > vocab) {
        throw new InputException(
            "--draft-head %d is outside 0 to %d, the size of the vocabulary"
                .formatted(draftTokens, vocab));
      }
      folder.open();
      int window = m.config().decoder().context();
      Sweep.Settings sweep = new Sweep.Settings(PROMPTS, tokens, THRESHOLDS, rounds);
      Demo demo =
          new Demo(
              m,
              device,
              new Demo.Settings(
                  textBatches,
                  window,
                  ExitArchitecture.of(architecture),
                  draftTokens,
                  EmbeddedFolder.FABLE_EXITS.path(),
                  steps,
                  sweep,
                  seed),
              view);
      DemoResults results = demo.run("fable", out);
      view.finish();
      DemoReport.write(out, results, CommandLines.given(spec));
      DemoJson.write(out.resolve("results.json"), results);
      if (json) {
        System.out.println(Json.compact(DemoJson.of(results)));
      } else {
        show(results, m.config().decoder().layers());
      }
    }
    return 0;
  }

  private void show(DemoResults r, int layers) {
    ColouredText text = ColouredText.to(System.out, layers);
    List<Integer> depths = r.losses().keySet().stream().toList();
    System.out.printf(
        Locale.ROOT,
        "%nStories with early exits, greedy, repetition penalty %.2f:%n",
        DemoSample.REPETITION_PENALTY);
    for (DemoSample s : r.samples()) {
      if (PRINTED.contains(s.threshold())) {
        System.out.printf(Locale.ROOT, "%nthreshold %.2f%n", s.threshold());
        text.legend(depths);
        text.plain(s.prompt());
        s.tokens().forEach(t -> text.token(t.text(), t.exit()));
        text.end();
      }
    }
    System.out.println();
    DemoTable.print(r, System.out);
    System.out.println(
        "\nreport: " + out.resolve("report.html") + "\nresults: " + out.resolve("results.json"));
  }
}
