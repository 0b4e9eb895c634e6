package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.eetuning.cli.base.CommandLines;
import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cli.option.ActiveMixin;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.ExitsMixin;
import dev.sortie.eetuning.cli.option.OracleMixin;
import dev.sortie.eetuning.cli.view.EvalView;
import dev.sortie.eetuning.cli.view.ProgressLine;
import dev.sortie.eetuning.cost.ActiveExits;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.eval.ChoiceScorer;
import dev.sortie.eetuning.eval.DecodingVariant;
import dev.sortie.eetuning.eval.EvalResults;
import dev.sortie.eetuning.eval.Evaluation;
import dev.sortie.eetuning.eval.PairedRuns;
import dev.sortie.eetuning.eval.SourceRevision;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.eval.report.EvalJson;
import dev.sortie.eetuning.eval.report.EvalReport;
import dev.sortie.eetuning.eval.task.TaskFile;
import dev.sortie.eetuning.eval.task.TaskItem;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.eetuning.host.ModelName;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Quality against speed. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    description = {
      "Evaluates a model: scores a text and multiple-choice items with the "
          + "final layer and each exit, and scores the answers of each decoding "
          + "strategy and its speed relative to full depth.",
      "Writes report.html and results.json. docs/tasks.md describes the task " + "files."
    })
public final class EvalCommand implements Callable<Integer> {
  private static final String EARLY = DecodingVariant.EARLY_EXIT;
  private static final String EARLY_EXIT_DRAFTS = DecodingVariant.EARLY_EXIT_DRAFTS;
  private static final String SPECULATIVE = DecodingVariant.SPECULATIVE;

  /** Enough to find the error where nothing but full depth itself changes nothing. */
  private static final int PAIRS = 12;

  private static final int MOST_ROUNDS = 1000;

  private static final String DECODING =
      "--strategy, --threshold, --active, --each-exit and --rounds";

  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;

  @Mixin private ExitsMixin exitSource;

  @Mixin private ActiveMixin active;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description = ScoredText.HELP + ReadOnce.HELP)
  private Path text;

  @Option(
      names = "--tasks",
      arity = "1..*",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description = "Task files with one JSON object per line." + ReadOnce.HELP)
  private List<Path> tasks = new ArrayList<>();

  @Option(
      names = "--strategy",
      split = ",",
      paramLabel = "WORD",
      description =
          "Decoding strategies to compare with full depth: early-exit, "
              + "early-exit+prompt-lookup (the same texts, with speculation), "
              + "speculative, or a comma-separated list. Default: speculative, and with "
              + "--exits all three.")
  private List<String> strategies = new ArrayList<>();

  @Option(
      names = "--threshold",
      split = ",",
      paramLabel = "X",
      description =
          "Exit thresholds to sweep, such as 0.9,0.8. Default with --exits: "
              + "0.95,0.9,0.8,0.7,0.6,0.5.")
  private List<Double> thresholds = new ArrayList<>();

  @Option(
      names = "--thresholds",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "A thresholds file written by calibrate, evaluated as an additional "
              + "strategy."
              + ReadOnce.HELP)
  private Path thresholdsFile;

  @Option(
      names = "--each-exit",
      description = "Also sweep each exit alone, in addition to all active exits together.")
  private boolean eachExit;

  @Mixin private OracleMixin oracle;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "Maximum number of tokens per answer, unless the item sets its own. "
              + "Default: ${DEFAULT-VALUE}.")
  private int tokens;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Use at most the first N items of each file. Default: ${DEFAULT-VALUE}.")
  private int limit;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description =
          "Rounds of decoding. In each round, every strategy decodes every prompt, "
              + "paired with full depth; the reported speed-up is the median over pairs. "
              + "Default: enough for 12 pairs.")
  private Integer rounds;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder for the report.")
  private Path out;

  @Option(names = "--json", description = "Print the results as JSON to standard output.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    check();
    Optional<ScoredText> scored = Optional.ofNullable(text).map(ScoredText::read);
    Optional<Calibrated> calibrated = Optional.ofNullable(thresholdsFile).map(ThresholdsFile::read);
    List<TaskItem.Choice> choices = new ArrayList<>();
    List<TaskItem.Answer> answers = new ArrayList<>();
    for (Path file : tasks) {
      List<TaskItem> items = TaskFile.read(file, tokens);
      for (TaskItem item : items.subList(0, Math.min(limit, items.size()))) {
        switch (item) {
          case TaskItem.Choice c -> choices.add(c);
          case TaskItem.Answer a -> answers.add(a);
        }
      }
    }
    checkDecoding(!answers.isEmpty());
    try (OutputFolder folder = new OutputFolder(out);
        Device opened = compute.open();
        LanguageModel m = model.load(opened);
        NativeArena arena = new NativeArena("exits")) {
      calibrated.ifPresent(c -> ThresholdsFile.check(thresholdsFile, c, exitSource.folder(), m));
      folder.open();
      Device device = m.device();
      Exits exits = exitSource.read(m, arena, device);
      Optional<OracleMixin.Answer> asked =
          scored
              .filter(t -> oracle.isAsked())
              .map(t -> ask(t, m, FinalDraft.add(exits), calibrated, device));
      EvalResults r =
          new EvalResults(
              ModelName.of(m.path()),
              m.config().decoder().layers(),
              new EvalResults.Run(
                  CommandLines.given(spec),
                  SourceRevision.commit(),
                  ThresholdsFile.dtype(m),
                  m.arithmetic().word(),
                  device.pool().threads()),
              Machine.detect(device.kernels().name()),
              scored.map(t -> t.score(new TextScorer(m, exits, device))),
              asked.map(OracleMixin.Answer::exits),
              asked.flatMap(OracleMixin.Answer::sets),
              choices.isEmpty() ? new LinkedHashMap<>() : choose(m, exits, device, choices),
              answers.isEmpty()
                  ? List.of()
                  : decode(m, FinalDraft.add(exits), calibrated, device, answers));
      EvalReport.write(out, r);
      Json.write(out.resolve("results.json"), EvalJson.of(r));
      if (json) {
        System.out.println(Json.compact(EvalJson.of(r)));
      } else {
        EvalView.print(r, System.out);
        System.out.println(out.resolve("report.html"));
      }
    }
    return 0;
  }

  private void check() {
    if (text == null && tasks.isEmpty()) {
      throw new UsageException("nothing to evaluate: give --text FILE, --tasks FILE, or both");
    }
    for (String word : strategies) {
      if (!List.of(EARLY, EARLY_EXIT_DRAFTS, SPECULATIVE).contains(word)) {
        throw new UsageException(
            "--strategy '%s' is unknown; take %s, %s, %s or several"
                .formatted(word, EARLY, EARLY_EXIT_DRAFTS, SPECULATIVE));
      }
      if (!exitSource.isGiven() && !word.equals(SPECULATIVE)) {
        throw new UsageException("--strategy " + word + " needs --exits DIR");
      }
    }
    exitSource.check();
    oracle.check(text != null && exitSource.isGiven());
    if (!exitSource.isGiven()
        && (thresholdsFile != null || !thresholds.isEmpty() || active.isGiven() || eachExit)) {
      throw new UsageException(
          "--threshold, --thresholds, --active and --each-exit need --exits DIR");
    }
    if (rounds != null && (rounds < 1 || rounds > MOST_ROUNDS)) {
      throw new UsageException("--rounds " + rounds + " is outside 1 to " + MOST_ROUNDS);
    }
    if (limit < 1 || tokens < 2) {
      throw new UsageException(
          "--limit %d must be at least 1, --tokens %d at least 2".formatted(limit, tokens));
    }
    thresholds.forEach(MaxProbability::new);
    if (tasks.isEmpty() && isDecodingAsked()) {
      throw new UsageException(DECODING + " need --tasks FILE");
    }
    if (tasks.isEmpty() && thresholdsFile != null && !oracle.isAsked()) {
      throw new UsageException("--thresholds needs --oracle or --tasks FILE");
    }
  }

  private boolean isSwept() {
    return !thresholds.isEmpty() || eachExit;
  }

  private boolean isDecodingAsked() {
    return isSwept() || !strategies.isEmpty() || active.isGiven() || rounds != null;
  }

  /**
   * Refuses options of decoding that would have no effect.
   *
   * @param answers whether there are prompts to answer
   */
  private void checkDecoding(boolean answers) {
    boolean swept = isSwept();
    if (!answers && isDecodingAsked()) {
      throw new InputException(
          DECODING
              + " need --tasks with prompts to answer, of which there are none; leave them out");
    }
    boolean early =
        strategies.isEmpty()
            || strategies.contains(EARLY)
            || strategies.contains(EARLY_EXIT_DRAFTS);
    if (swept && !early) {
      throw new UsageException(
          "--threshold and --each-exit are not for --strategy speculative; add early-exit to it");
    }
    if (thresholdsFile != null && !oracle.isAsked() && !(answers && early)) {
      throw new InputException(
          "--thresholds %s needs --oracle, or --tasks with prompts to answer and --strategy early-exit"
              .formatted(thresholdsFile));
    }
  }

  private OracleMixin.Answer ask(
      ScoredText scored,
      LanguageModel m,
      Exits exits,
      Optional<Calibrated> calibrated,
      Device device) {
    return oracle.ask(m, exits, device, scored.documents(), calibrated.map(Calibrated::thresholds));
  }

  private static SequencedMap<String, SequencedMap<String, ChoiceScorer.Accuracy>> choose(
      LanguageModel m, Exits exits, Device device, List<TaskItem.Choice> items) {
    try (ProgressLine line = ProgressLine.start("choices", items.size(), System.err)) {
      return new Evaluation(m, exits, device).choices(items, line::step);
    }
  }

  private List<EvalResults.Setting> decode(
      LanguageModel m,
      Exits exits,
      Optional<Calibrated> calibrated,
      Device device,
      List<TaskItem.Answer> items) {
    Evaluation evaluation = new Evaluation(m, exits, device);
    int times = rounds == null ? Math.ceilDiv(PAIRS, items.size()) : rounds;
    PairedRuns runs = evaluation.paired(variants(m, exits, calibrated, device), items, times);
    List<PairedRuns.Outcome> outcomes;
    try (ProgressLine line = ProgressLine.start("decode", runs.units(), System.err)) {
      outcomes = runs.run(line::step);
    }
    return evaluation.settings(outcomes, items, ActiveMixin.table(m, exits, device));
  }

  private List<DecodingVariant> variants(
      LanguageModel m, Exits all, Optional<Calibrated> calibrated, Device device) {
    List<DecodingVariant> list = new ArrayList<>();
    list.add(DecodingVariant.full(m, device));
    if (strategies.isEmpty() || strategies.contains(SPECULATIVE)) {
      list.add(speculative(m, all, device));
    }
    if (!all.exits().isEmpty()) {
      Exits exits = active.choose(all, m, EarlyExit.MAX_PENDING, device);
      if (!exits.exits().isEmpty()) { // nothing leaves: shows the error of the measurement
        list.add(DecodingVariant.early(EARLY, m, exits, new MaxProbability(1), 1, false, device));
      }
      if (strategies.isEmpty() || strategies.contains(EARLY)) {
        list.addAll(early(EARLY, false, m, all, exits, calibrated, device));
      }
      if (strategies.isEmpty() || strategies.contains(EARLY_EXIT_DRAFTS)) {
        list.addAll(early(EARLY_EXIT_DRAFTS, true, m, all, exits, calibrated, device));
      }
    }
    return list;
  }

  private static DecodingVariant speculative(LanguageModel m, Exits all, Device device) {
    return DecodingVariant.speculative(
        SPECULATIVE, m, all, DraftSources.defaults(all), OptionalDouble.empty(), device);
  }

  private List<DecodingVariant> early(
      String name,
      boolean drafts,
      LanguageModel m,
      Exits all,
      Exits exits,
      Optional<Calibrated> calibrated,
      Device device) {
    List<DecodingVariant> list = new ArrayList<>();
    List<Exits> sets = new ArrayList<>();
    if (!exits.exits().isEmpty()) {
      sets.add(exits);
    }
    if (eachExit && exits.exits().size() > 1) {
      exits.depths().forEach(d -> sets.add(ActiveExits.at(exits, List.of(d))));
    }
    List<Double> sweep = thresholds.isEmpty() ? List.of(0.95, 0.9, 0.8, 0.7, 0.6, 0.5) : thresholds;
    for (Exits set : sets) {
      for (double x : sweep) {
        list.add(DecodingVariant.early(name, m, set, new MaxProbability(x), x, drafts, device));
      }
    }
    if (calibrated.isPresent()) {
      Calibrated c = calibrated.get();
      ExitThresholds policy = new ExitThresholds(c.thresholds());
      String word = "calibrated" + name.substring(EARLY.length());
      list.add(DecodingVariant.early(word, m, all, policy, drafts, device));
    }
    return list;
  }
}
