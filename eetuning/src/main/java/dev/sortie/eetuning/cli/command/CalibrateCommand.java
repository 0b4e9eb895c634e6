package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.calibrate.Calibration;
import dev.sortie.eetuning.calibrate.Guarantee;
import dev.sortie.eetuning.calibrate.HeldOutSequence;
import dev.sortie.eetuning.calibrate.LearnThenTest;
import dev.sortie.eetuning.calibrate.Risk;
import dev.sortie.eetuning.calibrate.Splits;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.eetuning.calibrate.TraceFile;
import dev.sortie.eetuning.calibrate.Tracer;
import dev.sortie.eetuning.calibrate.Trajectory;
import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.cli.option.ActiveMixin;
import dev.sortie.eetuning.cli.option.BackboneMixin;
import dev.sortie.eetuning.cli.option.DecodedModelMixin;
import dev.sortie.eetuning.cli.option.ExitWords;
import dev.sortie.eetuning.cli.view.CalibrationView;
import dev.sortie.eetuning.cli.view.ProgressLine;
import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.eval.TokenReadings;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.eetuning.host.OutputFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Thresholds with a statistical guarantee. */
@Command(
    name = "calibrate",
    mixinStandardHelpOptions = true,
    description = {
      "Chooses exit thresholds with a statistical guarantee: on new sequences "
          + "like those of --data, the risk is at most --level, at confidence level "
          + "--confidence or on average.",
      "The methods are Learn then Test (arXiv 2110.01052) and Conformal Risk "
          + "Control (arXiv 2208.02814). Pass the resulting file to generate "
          + "--thresholds."
    })
public final class CalibrateCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;
  @Mixin private DecodedModelMixin model;

  @Option(
      names = "--exits",
      required = true,
      paramLabel = "DIR",
      converter = ExitWords.Folder.class,
      description = ExitWords.FOLDER)
  private Path exitsFolder;

  @Mixin private BackboneMixin backbone;

  @Option(
      names = "--data",
      required = true,
      arity = "1..*",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "Held-out sequences that the exits were not tuned on. A .jsonl file, or "
              + "a pipe that begins with {, has one JSON object per line: with question, "
              + "which the model answers through its chat template at full depth, with "
              + "prompt, which it continues, or with text, used as is. Any other file is "
              + "plain text and is split into windows. Windows of one text are not "
              + "independent, so the guarantee is then only approximate."
              + ReadOnce.HELP)
  private List<Path> data;

  @Mixin private ActiveMixin active;

  @Option(
      names = "--risk",
      paramLabel = "RISK",
      defaultValue = "disagreement",
      description =
          "disagreement: the fraction of tokens that full depth would not have "
              + "chosen. nll: the increase in negative log-likelihood, in nats per "
              + "token, clipped to [0, 1] for each sequence. Default: ${DEFAULT-VALUE}.")
  private String risk;

  @Option(
      names = "--level",
      paramLabel = "X",
      defaultValue = "0.05",
      description = "Maximum risk, between 0 and 1. Default: ${DEFAULT-VALUE}.")
  private double level;

  @Option(
      names = "--guarantee",
      paramLabel = "KIND",
      defaultValue = "high-probability",
      description =
          "high-probability: the risk is at most --level, at confidence level "
              + "--confidence. marginal: it is at most --level on average over "
              + "calibration data, which needs fewer sequences. Default: "
              + "${DEFAULT-VALUE}.")
  private String guarantee;

  @Option(
      names = "--confidence",
      paramLabel = "X",
      description =
          "Confidence level of the guarantee: the probability that the risk does "
              + "not exceed --level. Default: "
              + LearnThenTest.CONFIDENCE
              + ".")
  private Double confidence;

  @Option(
      names = "--test",
      paramLabel = "TEST",
      description =
          "Statistical test of high-probability: hoeffding-bentkus, or betting "
              + "(arXiv 2010.09686), which has more power when sequences have similar "
              + "risk. Default: hoeffding-bentkus.")
  private String test;

  @Option(
      names = "--per-exit",
      description =
          "Choose a separate threshold for each exit, using a quarter of the "
              + "sequences for the search. Without it all exits share one.")
  private boolean perExit;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "Maximum number of tokens generated per prompt. Default: " + "${DEFAULT-VALUE}.")
  private int tokens;

  @Option(
      names = "--window",
      paramLabel = "N",
      defaultValue = "128",
      description = "Maximum number of tokens per window of text. Default: ${DEFAULT-VALUE}.")
  private int window;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Use at most the first N sequences. Default: ${DEFAULT-VALUE}.")
  private int limit;

  @Option(
      names = "--traces",
      paramLabel = "FILE",
      description =
          "Cache file for the exits' outputs on each sequence. An interrupted run "
              + "resumes from it, and another --risk or --level reuses it.")
  private Path traces;

  @Option(
      names = "--splits",
      paramLabel = "N",
      description =
          "Also test the calibration: repeat it N times on a random two thirds of the "
              + "sequences, and measure its thresholds on the others. The thresholds written "
              + "are those of all sequences.")
  private Integer splits;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "File for the thresholds.")
  private Path out;

  @Option(names = "--json", description = "Print the contents of the file to standard output.")
  private boolean json;

  @Override
  public Integer call() {
    Risk bounded = Risk.of(risk);
    Guarantee promise =
        Guarantee.of(
            guarantee,
            level,
            confidence == null ? OptionalDouble.empty() : OptionalDouble.of(confidence),
            test);
    if (tokens < 2) {
      throw new UsageException("--tokens " + tokens + " must be at least 2");
    }
    if (limit < 1) {
      throw new UsageException("--limit " + limit + " must be at least 1");
    }
    OutputFile.check("--out", out);
    if (traces != null) {
      OutputFile.check("--traces", traces);
    }
    ThresholdsFile.requireReplaceable(out);
    try (Device opened = compute.open();
        LanguageModel m = model.load(opened);
        NativeArena arena = new NativeArena("exits")) {
      Device device = m.device();
      Exits stored = backbone.read(exitsFolder, m, arena, device);
      Exits all = FinalDraft.add(stored);
      if (all.exits().isEmpty()) {
        throw new InputException(
            exitsFolder
                + ": has no exit at which a token could leave, and so no threshold; give exits after layers, made with add-exits --at");
      }
      List<HeldOutSequence> sequences = HeldOutSequence.read(data, m, window, tokens);
      sequences = sequences.subList(0, Math.min(limit, sequences.size()));
      Exits exits = active.choose(all, m, EarlyExit.MAX_PENDING, device);
      if (exits.exits().isEmpty()) {
        throw new InputException(
            "no exit of "
                + exitsFolder
                + " can pay on this machine; --active all takes them all the same");
      }
      CostTable table = ActiveMixin.table(m, all, device);
      Calibration calibration = new Calibration(promise, bounded, perExit, table);
      calibration.require(sequences.size());
      Optional<Splits> repeated = Optional.ofNullable(splits).map(n -> new Splits(calibration, n));
      if (repeated.isPresent()) {
        repeated.get().require(sequences.size());
      }
      List<Trajectory> traced =
          trace(new Tracer(m, exits, device, tokens), sequences, bounded, table, kept(m, exits));
      Calibration.Result r = calibration.run(traced);
      Optional<Splits.Result> tested = repeated.map(s -> s.run(traced));
      if (!json) {
        CalibrationView.print(r, promise, System.out);
        tested.ifPresent(t -> CalibrationView.print(t, calibration, System.out));
      }
      Calibrated c = calibrated(r, bounded, promise, m, textTokens(m, all));
      ThresholdsFile.write(out, c);
      if (json) {
        Map<String, Object> root = ThresholdsFile.json(c);
        tested.ifPresent(t -> root.put("splits", CalibrationView.json(t)));
        System.out.println(Json.compact(root));
      } else {
        conclude(c);
      }
    }
    return 0;
  }

  private static int textTokens(LanguageModel m, Exits exits) {
    return TextTokens.most(ExitOutline.of(exits, m.config().decoder().layers()));
  }

  private Optional<TraceFile> kept(LanguageModel m, Exits exits) {
    if (traces == null) {
      return Optional.empty();
    }
    Map<String, String> of = new LinkedHashMap<>();
    of.put("backbone_sha256", m.sha256());
    of.put("exits_sha256", Sha256.of(exitsFolder.resolve(ExitsFile.TENSORS)));
    of.put("exits", exits.depths().toString());
    of.put("dtype", ThresholdsFile.dtype(m));
    of.put("arithmetic", m.arithmetic().word());
    of.put("answer_tokens", String.valueOf(tokens));
    of.put("text_tokens", String.valueOf(textTokens(m, exits)));
    return Optional.of(TraceFile.open(traces, of));
  }

  private static List<Trajectory> trace(
      Tracer tracer,
      List<HeldOutSequence> sequences,
      Risk risk,
      CostTable table,
      Optional<TraceFile> kept) {
    int layers = tracer.model().config().decoder().layers();
    List<Trajectory> traced = new ArrayList<>();
    try (ProgressLine line = ProgressLine.start("calibrate", sequences.size(), System.err)) {
      for (int i = 0; i < sequences.size(); i++) {
        HeldOutSequence sequence = sequences.get(i);
        Optional<TokenReadings> known = kept.flatMap(k -> k.get(sequence));
        Optional<TokenReadings> readings = known.or(() -> tracer.trace(sequence));
        if (known.isEmpty()) {
          kept.ifPresent(k -> readings.ifPresent(r -> k.add(sequence, r)));
        }
        readings.ifPresent(
            r -> traced.add(Trajectory.of(layers, r, risk, n -> table.pass(n, table.position()))));
        line.step(i + 1, "");
      }
    }
    return traced;
  }

  private Calibrated calibrated(
      Calibration.Result r, Risk bounded, Guarantee promise, LanguageModel m, int textTokens) {
    Calibration.Outcome chosen =
        r.chosen()
            .orElseThrow(
                () ->
                    new InputException(
                        String.format(
                            Locale.ROOT,
                            "no threshold has a %s of at most %s %s on these %d"
                                + " sequences (the safest one tried has %.4f); give more --data, a"
                                + " higher --level, or better exits",
                            bounded.word(),
                            level,
                            promise.condition(),
                            r.sequences(),
                            r.outcomes().getFirst().tested().risk())));
    return new Calibrated(
        Sha256.of(exitsFolder.resolve(ExitsFile.TENSORS)),
        ThresholdsFile.dtype(m),
        m.arithmetic().word(),
        textTokens,
        chosen.tested().candidate().thresholds(),
        new Calibrated.Promise(
            bounded,
            promise,
            r.sequences(),
            r.tokens(),
            // a text may become more likely, which counts as no risk
            Math.max(0, chosen.tested().risk()),
            chosen.tested().score(),
            chosen.earlyShare(),
            chosen.speedup(),
            data.stream().map(CalibrateCommand::source).toList()));
  }

  private static String source(Path file) {
    return NamedInput.isStandard(file) ? NamedInput.name(file) : file.getFileName().toString();
  }

  private void conclude(Calibrated c) {
    System.out.printf(
        Locale.ROOT,
        "%s: thresholds %s; %s at most %s %s%n",
        out,
        CalibrationView.words(c.thresholds()),
        c.promise().risk().word(),
        level,
        c.promise().guarantee().condition());
    if (c.promise().predictedSpeedup() <= 1) {
      System.out.println("on this machine they are not expected to be faster than full depth");
    }
  }
}
