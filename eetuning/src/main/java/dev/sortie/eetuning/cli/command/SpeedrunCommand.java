package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.CommandLines;
import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.eetuning.host.OutputFile;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.eetuning.speedrun.HeldOutSplit;
import dev.sortie.eetuning.speedrun.Recipe;
import dev.sortie.eetuning.speedrun.RunRecord;
import dev.sortie.eetuning.speedrun.SpeedrunReport;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** From text to calibrated exits, against the clock. */
@Command(
    name = "speedrun",
    mixinStandardHelpOptions = true,
    description = {
      "Trains a small model from text to calibrated exits, against the clock: "
          + "pretrain, add-exits, tune, calibrate and eval with fixed settings. "
          + "Writes report.md with one figure: the minutes it took to so many bits "
          + "per byte of held-out text.",
      "The last twentieth of each file is held out. After Ctrl-C or a kill the "
          + "same command resumes; its time is then not reported."
    })
public final class SpeedrunCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;

  @Option(
      names = "--data",
      required = true,
      arity = "1..*",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description = "UTF-8 text files." + ReadOnce.HELP)
  private List<Path> data;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder of the run.")
  private Path out;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "1000",
      description =
          "Steps of pre-training, of 2,048 tokens each; exits are tuned for a fifth "
              + "as many. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Random seed. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--target",
      paramLabel = "X",
      description = "Bits per byte to reach; otherwise the exit code is 1.")
  private Double target;

  @Option(
      names = "--record",
      paramLabel = "FILE",
      description = "Append the result to FILE as one line of JSON, with the commit.")
  private Path recorded;

  @Option(names = "--json", description = "Print the result as JSON to standard output.")
  private boolean json;

  @Override
  public Integer call() {
    if (steps < 5) {
      throw new UsageException("--steps " + steps + " must be at least 5");
    }
    if (target != null && !(target > 0 && target < 100)) {
      throw new UsageException("--target " + target + " is outside 0 to 100 bits per byte");
    }
    if (recorded != null) {
      OutputFile.check("--record", recorded, out);
    }
    try (OutputFolder folder = new OutputFolder(out)) {
      folder.open();
      HeldOutSplit split = HeldOutSplit.write(data, out);
      List<String> where =
          List.of("--threads", String.valueOf(compute.threads()), "--device", compute.device());
      Recipe recipe = new Recipe(out, steps, seed, where);
      RunRecord record = RunRecord.open(out, settings(split));
      List<Recipe.Stage> stages = recipe.stages(split);
      for (Recipe.Stage stage : stages) {
        int code = run(stage, recipe, record);
        if (code != 0) {
          return code;
        }
      }
      return report(recipe, stages, record);
    }
  }

  private Map<String, Object> settings(HeldOutSplit split) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("steps", steps);
    settings.put("seed", seed);
    settings.put("threads", compute.threads());
    settings.put("held_out_sha256", Sha256.of(split.heldOut()));
    return settings;
  }

  private int run(Recipe.Stage stage, Recipe recipe, RunRecord record) {
    String name = stage.command();
    if (record.isDone(name)) {
      return 0;
    }
    Path begun = out.resolve(".begun-" + name);
    if (Files.exists(begun)) {
      record.resumes();
      if (name.equals("add-exits")) {
        ExitsFile.discard(recipe.untuned()); // it writes into no folder that has exits already
      }
    }
    System.err.println(stage.line());
    try {
      Files.writeString(begun, "");
      long start = System.nanoTime();
      int code = quietly(command(name), stage.words());
      if (code == 0) {
        record.done(name, (System.nanoTime() - start) * 1e-9);
        Files.deleteIfExists(begun);
      }
      return code;
    } catch (IOException e) {
      throw new InputException(begun + ": cannot be written: " + InputFiles.reason(e), e);
    }
  }

  /** What a stage prints as its result is progress here. */
  private static int quietly(CommandLine command, List<String> words) {
    PrintStream out = System.out;
    System.setOut(System.err);
    try {
      return command.execute(words.toArray(String[]::new));
    } finally {
      System.setOut(out);
    }
  }

  private static CommandLine command(String name) {
    return CommandLines.of(
        switch (name) {
          case "pretrain" -> new PretrainCommand();
          case "add-exits" -> new AddExitsCommand();
          case "tune" -> new TuneCommand();
          case "calibrate" -> new CalibrateCommand();
          case "eval" -> new EvalCommand();
          default -> throw new IllegalArgumentException(name);
        });
  }

  private int report(Recipe recipe, List<Recipe.Stage> stages, RunRecord record) {
    Machine machine;
    try (Device device = compute.open()) {
      machine = Machine.detect(device.kernels().name());
    }
    SpeedrunReport report =
        new SpeedrunReport(
            recipe,
            stages,
            record,
            machine,
            compute.threads(),
            target == null ? OptionalDouble.empty() : OptionalDouble.of(target));
    Path page = out.resolve("report.md");
    report.write(page);
    if (recorded != null) {
      append(report);
    }
    System.out.println(json ? Json.compact(report.json()) : report.sentence() + "\n" + page);
    return report.reached() ? 0 : 1;
  }

  private void append(SpeedrunReport report) {
    try {
      JsonLines.append(recorded, report.json());
    } catch (IOException e) {
      throw new InputException(
          "--record %s: cannot be written: %s; check free space and permissions, then run the same command again"
              .formatted(recorded, InputFiles.reason(e)),
          e);
    }
  }
}
