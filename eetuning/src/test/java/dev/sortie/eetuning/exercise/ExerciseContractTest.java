package dev.sortie.eetuning.exercise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.exercise.CheckResult.Outcome;
import dev.sortie.nn.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is right passes all checks of an exercise, and what is wrong fails the check that names it.
 */
@Tag("slow")
@Tag("any-kernels")
class ExerciseContractTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private static List<CheckResult> run(List<Check> checks) {
    return new CheckRun("", LIMIT).run(checks);
  }

  private static List<String> failed(List<CheckResult> results) {
    return results.stream().filter(r -> !r.passed()).map(CheckResult::promise).toList();
  }

  @Test
  void theEnginesOwnPartsPass() {
    assertThat(failed(run(SoftmaxGradientChecks.of(new Solutions.Gradient())))).isEmpty();
    assertThat(failed(run(AllReduceChecks.of(new Solutions.Ring())))).isEmpty();
    List<CheckResult> rule = run(ExitRuleChecks.of(new Solutions.Rule()));
    assertThat(failed(rule)).isEmpty();
    assertThat(rule.getLast().message()).contains("% of tokens leave at threshold 0.");
  }

  /** A wrong solution and words of the promise that it breaks, and maybe others with it. */
  static Stream<Arguments> wrong() {
    SoftmaxGradient diagonal = (y, dy) -> each(y, i -> y[i] * (1 - y[i]) * dy[i]);
    SoftmaxGradient divides =
        (y, dy) -> each(y, i -> y[i] * dy[i] * (1 - dot(y, dy) / dy[i] * y[i] / y[i]));
    SoftmaxGradient inPlace =
        (y, dy) -> {
          double dot = dot(y, dy);
          for (int i = 0; i < y.length; i++) {
            dy[i] = y[i] * (dy[i] - dot);
          }
          return dy;
        };
    SoftmaxGradient short1 = (y, dy) -> new double[y.length - 1];
    double[] memory = new double[1];
    SoftmaxGradient remembers =
        (y, dy) -> {
          memory[0] += dot(y, dy);
          return each(y, i -> y[i] * (dy[i] - memory[0]));
        };
    AllReduce nothing = (messages, data) -> {};
    AllReduce twice =
        (messages, data) -> {
          new Solutions.Ring().sum(messages, data);
          if (messages.ranks() > 4 && data.length > 0) {
            data[0] *= 2;
          }
        };
    AllReduce unread =
        (messages, data) -> {
          new Solutions.Ring().sum(messages, data);
          if (messages.ranks() > 1) {
            messages.send(data, (messages.rank() + 1) % messages.ranks());
          }
        };
    AllReduce ownFirst =
        (messages, data) -> {
          float[] own = data.clone();
          for (int other = 0; other < messages.ranks(); other++) {
            if (other != messages.rank()) {
              messages.send(own, other);
            }
          }
          float[] theirs = data.clone();
          for (int other = 0; other < messages.ranks(); other++) {
            if (other != messages.rank()) {
              messages.receive(theirs, other);
              for (int i = 0; i < data.length; i++) {
                data[i] += theirs[i];
              }
            }
          }
        };
    return Stream.of(
        softmax("finite differences", diagonal),
        softmax("certain rows", divides),
        softmax("left as they are", inPlace),
        softmax("one row", short1),
        softmax("three rows", remembers),
        allReduce("two ranks sum", nothing),
        allReduce("3, 5 and 8 ranks", twice),
        allReduce("sums in a row", unread),
        allReduce("same bits", ownFirst),
        exitRule("threshold is reached", l -> l[0], (c, t) -> t < 1 && c > t),
        exitRule("at threshold 1", l -> l[0], (c, t) -> c >= t),
        exitRule("at threshold 0", l -> l[0], (c, t) -> t < 1 && c > 0 && c >= t),
        exitRule("0 to 1", l -> 2 * l[0], Solutions.Rule::leaves),
        exitRule("left as they are", l -> Math.min(1, l[0]++), Solutions.Rule::leaves),
        exitRule("safe and useful", l -> 1 - l[0] + (l[0] == 1 ? 1 : 0), Solutions.Rule::leaves),
        exitRule("safe and useful", l -> 1, Solutions.Rule::leaves));
  }

  private interface At {
    double at(int i);
  }

  private static double[] each(double[] y, At value) {
    double[] result = new double[y.length];
    for (int i = 0; i < y.length; i++) {
      result[i] = value.at(i);
    }
    return result;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static Arguments softmax(String promise, SoftmaxGradient solution) {
    return Arguments.of(promise, SoftmaxGradientChecks.of(solution));
  }

  private static Arguments allReduce(String promise, AllReduce solution) {
    return Arguments.of(promise, AllReduceChecks.of(solution));
  }

  private interface Leaves {
    boolean leaves(double confidence, double threshold);
  }

  private static Arguments exitRule(
      String promise, Function<double[], Number> confidence, Leaves leaves) {
    ExitRule rule =
        new ExitRule() {
          @Override
          public double confidence(double[] largest) {
            return confidence.apply(largest).doubleValue();
          }

          @Override
          public boolean exits(double c, double threshold) {
            return leaves.leaves(c, threshold);
          }
        };
    return Arguments.of(promise, ExitRuleChecks.of(rule));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void aWrongSolutionFailsTheCheckThatNamesIt(String promise, List<Check> checks) {
    List<CheckResult> results = run(checks);
    assertThat(failed(results)).anyMatch(name -> name.contains(promise));
    assertThat(results)
        .filteredOn(r -> !r.passed())
        .allSatisfy(r -> assertThat(r.message()).isNotBlank())
        .allSatisfy(r -> assertThat(r.hint()).isNotBlank());
  }

  @Test
  void whatIsToBeginWithCompilesAndFailsReadably() {
    for (Exercise<?> exercise : Exercise.all()) {
      Path file = exercise.begin(folder.resolve("new"));
      assertThat(file).hasFileName(exercise.file());
      List<CheckResult> results = exercise.check(file, LIMIT);
      assertThat(results.getFirst().outcome()).isEqualTo(Outcome.FAILED);
      assertThat(results.getFirst().message())
          .matches("(\\w+ is )?not written yet \\(" + exercise.file() + ":\\d+\\)");
      assertThatThrownBy(() -> exercise.begin(folder.resolve("new")))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("not overwritten");
    }
  }

  private Path write(String text) throws Exception {
    return Files.writeString(folder.resolve("MySoftmaxGradient.java"), text);
  }

  private static final String SOURCE =
      """
      public class MySoftmaxGradient implements dev.sortie.eetuning.exercise.SoftmaxGradient {
        %s
        public double[] backward(double[] y, double[] dy) {
          %s
        }
      }
      """;

  private List<CheckResult> check(String fields, String body, Duration limit) throws Exception {
    return Exercise.of("softmax-gradient").check(write(SOURCE.formatted(fields, body)), limit);
  }

  @Test
  void aFailureNamesTheLineOfTheFile() throws Exception {
    List<CheckResult> results = check("", "return new double[] {dy[99]};", LIMIT);
    assertThat(results.getFirst().message())
        .contains("ArrayIndexOutOfBoundsException", "99", "(MySoftmaxGradient.java:4)");
  }

  @Test
  void aLoopWithoutEndIsStopped() throws Exception {
    List<CheckResult> results =
        check(
            "",
            "while (!Thread.currentThread().isInterrupted()) {}\n    return dy;",
            Duration.ofMillis(500));
    assertThat(results.getFirst().message())
        .isEqualTo("did not end within 0.5 s (MySoftmaxGradient.java:4)");
    assertThat(results.subList(1, results.size()))
        .allMatch(r -> r.outcome() == Outcome.NOT_RUN)
        .isNotEmpty();
  }

  @Test
  void aRankThatWaitsForNothingIsNamed() {
    AllReduce waits =
        (messages, data) -> {
          if (messages.ranks() > 1) {
            messages.receive(data, 1 - messages.rank());
          }
        };
    List<CheckResult> results = run(AllReduceChecks.of(waits).subList(1, 2));
    assertThat(results.getFirst().message()).contains("waits for rank", "5000 ms");
  }

  @Test
  void aRankThatFailsIsTheOneThatIsReported() {
    AllReduce fails =
        (messages, data) -> {
          if (messages.rank() == 1) {
            throw new IllegalStateException("no idea");
          }
          if (messages.ranks() > 1) {
            messages.receive(data, 1);
          }
        };
    List<CheckResult> results = run(AllReduceChecks.of(fails).subList(1, 2));
    assertThat(results.getFirst().message()).contains("IllegalStateException: no idea");
  }

  @Test
  void whatDoesNotCompileShowsTheCompilersLines() {
    assertThatThrownBy(() -> check("", "return y +;", LIMIT))
        .isInstanceOfSatisfying(
            CompileException.class,
            e ->
                assertThat(e.lines())
                    .anyMatch(
                        l ->
                            l.endsWith(
                                "MySoftmaxGradient.java:4: error: illegal start of expression"))
                    .anyMatch(l -> l.contains("return y +;"))
                    .anyMatch(l -> l.strip().equals("^")))
        .hasMessageContaining("does not compile");
  }

  @Test
  void aFileWithoutTheClassIsRefused() throws Exception {
    Exercise<?> exercise = Exercise.of("softmax-gradient");
    Path other = Files.writeString(folder.resolve("Other.java"), "class Other {}");
    assertThatThrownBy(() -> exercise.check(other, LIMIT))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no class Other that implements")
        .hasMessageContaining("--out");
    assertThatThrownBy(() -> check("MySoftmaxGradient(int a) {}", "return dy;", LIMIT))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("constructor without parameters");
    assertThatThrownBy(() -> check("int a = 1 / 0;", "return dy;", LIMIT))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("/ by zero (MySoftmaxGradient.java:2)");
    assertThatThrownBy(() -> Exercise.of("softmax"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("softmax-gradient, all-reduce, exit-rule");
  }
}
