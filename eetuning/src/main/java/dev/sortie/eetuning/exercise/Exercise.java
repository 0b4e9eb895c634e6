package dev.sortie.eetuning.exercise;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.AtomicFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/**
 * An exercise: an interface to implement, a file to begin with, and checks.
 *
 * @param <T> the interface
 */
public final class Exercise<T> {
  private static final List<Exercise<?>> ALL =
      List.of(
          new Exercise<>(
              "softmax-gradient",
              "The gradient of softmax, checked by finite differences in F64.",
              SoftmaxGradient.class,
              SoftmaxGradientChecks::of),
          new Exercise<>(
              "all-reduce",
              "The sum over all ranks by messages, checked with whole numbers of exact sums.",
              AllReduce.class,
              AllReduceChecks::of),
          new Exercise<>(
              "exit-rule",
              "When a token leaves at an exit, checked by calibration on recorded tokens.",
              ExitRule.class,
              ExitRuleChecks::of));

  private final String name;
  private final String title;
  private final Class<T> type;
  private final Function<T, List<Check>> checks;

  private Exercise(String name, String title, Class<T> type, Function<T, List<Check>> checks) {
    this.name = name;
    this.title = title;
    this.type = type;
    this.checks = checks;
  }

  /** All, in the order of the tour. */
  public static List<Exercise<?>> all() {
    return ALL;
  }

  /**
   * The exercise of a name.
   *
   * @throws UsageException if there is none, with the names that there are
   */
  public static Exercise<?> of(String name) {
    return ALL.stream()
        .filter(exercise -> exercise.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new UsageException(
                    "there is no exercise '%s'; take one of %s"
                        .formatted(
                            name, String.join(", ", ALL.stream().map(Exercise::name).toList()))));
  }

  /** Its name on the command line. */
  public String name() {
    return name;
  }

  /** What is to be written, in one sentence. */
  public String title() {
    return title;
  }

  /** The name of the learner's file. */
  public String file() {
    return "My" + type.getSimpleName() + ".java";
  }

  /**
   * Writes the file to begin with.
   *
   * @param folder created if it is not there
   * @return the file
   * @throws InputException if the file is there already, since it may hold a solution
   */
  public Path begin(Path folder) {
    Path file = folder.resolve(file());
    if (Files.exists(file)) {
      throw new InputException(
          file + ": is there already and is not overwritten; delete it to begin again");
    }
    Folders.create(folder);
    try (InputStream skeleton = Exercise.class.getResourceAsStream(file())) {
      AtomicFiles.write(file, skeleton.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException("the file " + file() + " of this program", e);
    }
    return file;
  }

  /**
   * Compiles a learner's file and runs all checks on it.
   *
   * @param limit time for each check
   * @throws InputException if the file cannot be read or has no such class; a {@link
   *     CompileException} if it does not compile
   */
  public List<CheckResult> check(Path file, Duration limit) {
    try (Solution<T> solution = Solution.compile(file, type)) {
      CheckRun run = new CheckRun(file.getFileName().toString(), limit);
      return run.run(checks.apply(run.make(solution::make)));
    }
  }
}
