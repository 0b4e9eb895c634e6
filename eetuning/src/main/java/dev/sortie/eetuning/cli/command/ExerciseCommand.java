package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.exercise.CheckResult;
import dev.sortie.eetuning.exercise.CompileException;
import dev.sortie.eetuning.exercise.Exercise;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The exercises of the tour. */
@Command(
    name = "exercise",
    mixinStandardHelpOptions = true,
    description = {
      "Checks your solution of an exercise of the tour (docs/tour) with the engine's own checks."
          + " Without a name, lists the exercises.",
      "The file is compiled and run with your rights: run only files that you trust. Exit code 0:"
          + " all checks passed, 1: some did not."
    })
public final class ExerciseCommand implements Callable<Integer> {
  private static final Path FOLDER = Path.of("exercises");

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "NAME",
      description = "The exercise, such as softmax-gradient.")
  private String name;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "FILE",
      description = "Your solution. Default: the exercise's file in the folder exercises.")
  private Path file;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Write the file to begin with to this folder, and check nothing. A file that is there is"
              + " not overwritten.")
  private Path out;

  @Option(
      names = "--time-limit",
      paramLabel = "S",
      defaultValue = "20",
      description = "Seconds that a check may take. Default: ${DEFAULT-VALUE}.")
  private double seconds;

  @Option(names = "--json", description = "Results as one JSON object on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    if (!(seconds > 0 && seconds <= 86_400)) {
      throw new UsageException("--time-limit " + seconds + " must be above 0, at most 86400");
    }
    if (name == null) {
      if (out != null) {
        throw new ParameterException(spec.commandLine(), "--out needs the NAME of an exercise");
      }
      list();
      return 0;
    }
    Exercise<?> exercise = Exercise.of(name);
    if (out == null) {
      return check(exercise);
    }
    if (file != null) {
      throw new ParameterException(
          spec.commandLine(), "--out writes a file to begin with; leave out " + file);
    }
    begin(exercise);
    return 0;
  }

  private void list() {
    if (json) {
      print(
          "exercises",
          Exercise.all().stream()
              .map(e -> Json.object("name", e.name(), "title", e.title(), "file", e.file()))
              .toList());
      return;
    }
    Exercise.all().forEach(e -> System.out.printf("%-18s %s%n", e.name(), e.title()));
    System.out.println("\nTo begin with one: ./sortie exercise NAME --out " + FOLDER);
  }

  private void begin(Exercise<?> exercise) {
    Path written = exercise.begin(out);
    if (json) {
      print("exercise", exercise.name(), "file", written.toString());
      return;
    }
    boolean usual = out.equals(FOLDER);
    System.out.printf(
        "%s written. Fill it in, then run: ./sortie exercise %s%s%n",
        written, exercise.name(), usual ? "" : " " + written);
  }

  private int check(Exercise<?> exercise) {
    Path checked = file == null ? FOLDER.resolve(exercise.file()) : file;
    if (!Files.exists(checked)) {
      throw new InputException(
          "%s: is not there; ./sortie exercise %s --out %s writes a file to begin with"
              .formatted(checked, exercise.name(), file == null ? FOLDER : "DIR"));
    }
    List<CheckResult> results;
    try {
      results = exercise.check(checked, Duration.ofNanos(Math.round(seconds * 1e9)));
    } catch (CompileException e) {
      e.lines().forEach(System.err::println);
      throw e;
    }
    boolean passed = results.stream().allMatch(CheckResult::passed);
    if (json) {
      print(
          "exercise",
          exercise.name(),
          "file",
          checked.toString(),
          "passed",
          passed,
          "checks",
          results.stream().map(ExerciseCommand::fields).toList());
    } else {
      System.out.println(exercise.name() + ": " + checked);
      results.forEach(ExerciseCommand::show);
      System.out.printf(
          "%d of %d checks passed%n",
          results.stream().filter(CheckResult::passed).count(), results.size());
    }
    return passed ? 0 : 1;
  }

  private static void print(Object... fields) {
    System.out.println(Json.compact(Json.object(fields)));
  }

  private static Map<String, Object> fields(CheckResult r) {
    return Json.object(
        "promise",
        r.promise(),
        "outcome",
        r.outcome().name().toLowerCase(Locale.ROOT),
        "message",
        r.message(),
        "hint",
        r.hint());
  }

  private static void show(CheckResult r) {
    String word =
        switch (r.outcome()) {
          case PASSED -> "pass";
          case FAILED -> "FAIL";
          case NOT_RUN -> "----";
        };
    System.out.println("  " + word + "  " + r.promise());
    if (!r.message().isEmpty()) {
      System.out.println("        " + SafeText.visibleLine(r.message()));
    }
    if (!r.hint().isEmpty()) {
      System.out.println("        Hint: " + r.hint());
    }
  }
}
