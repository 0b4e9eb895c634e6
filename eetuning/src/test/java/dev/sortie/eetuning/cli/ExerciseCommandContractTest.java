package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a learner sees of the exercises. */
@Tag("any-kernels")
class ExerciseCommandContractTest {
  private static final String RULE =
      """
      public class MyExitRule implements dev.sortie.eetuning.exercise.ExitRule {
        public double confidence(double[] largest) {
          return largest[0];
        }

        public boolean exits(double confidence, double threshold) {
          return %s;
        }
      }
      """;

  @TempDir private Path folder;

  private Path rule(String exits) throws Exception {
    return Files.writeString(folder.resolve("MyExitRule.java"), RULE.formatted(exits));
  }

  @Test
  void withoutANameItListsAll() {
    CommandLineRun run = CommandLineRun.of("exercise").succeeded();
    assertThat(run.out()).contains("softmax-gradient", "all-reduce", "exit-rule", "--out");
    assertThat(CommandLineRun.of("exercise", "--json").json().getObjects("exercises")).hasSize(3);
  }

  @Test
  void aFileIsWrittenOnceAndFailsUntilItIsFilledIn() {
    Path out = folder.resolve("mine");
    Path file = out.resolve("MyExitRule.java");
    String written =
        CommandLineRun.of("exercise", "exit-rule", "--out", out + "").succeeded().out();
    assertThat(written).contains(file + " written", "./sortie exercise exit-rule " + file);
    CommandLineRun.of("exercise", "exit-rule", "--out", out + "")
        .assertRefused(1, file.toString(), "not overwritten");
    CommandLineRun run = CommandLineRun.of("exercise", "exit-rule", file + "");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .contains("FAIL  a token leaves", "not written yet (MyExitRule.java:", "Hint: ")
        .endsWith("0 of 6 checks passed\n");
  }

  @Test
  void aSolutionPasses() throws Exception {
    Path file = rule("threshold < 1 && confidence >= threshold");
    CommandLineRun run = CommandLineRun.of("exercise", "exit-rule", file + "").succeeded();
    assertThat(run.out())
        .doesNotContain("FAIL", "Hint")
        .contains("% of tokens leave at threshold")
        .endsWith("6 of 6 checks passed\n");
    JsonObject json = CommandLineRun.of("exercise", "exit-rule", file + "", "--json").json();
    assertThat(json.getBoolean("passed")).isTrue();
  }

  /** As that of a learner who has not written it yet. */
  @Test
  void anErrorWithoutAMessageIsAFailedCheck() throws Exception {
    Path file = rule("java.util.Optional.<Boolean>empty().orElseThrow(AssertionError::new)");
    CommandLineRun run = CommandLineRun.of("exercise", "exit-rule", file + "");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out())
        .contains("java.lang.AssertionError (MyExitRule.java:")
        .endsWith("3 of 6 checks passed\n");
  }

  @Test
  void aFileOfAnotherKindIsRefused() throws Exception {
    Path file = Files.writeString(folder.resolve("rule.txt"), "a rule");
    CommandLineRun.of("exercise", "exit-rule", file + "")
        .assertRefused(1, "rule.txt: is no Java file", ".java");
  }

  @Test
  void whatFailsIsAnObjectTooAndEndsWithOne() throws Exception {
    Path file = rule("confidence >= threshold");
    CommandLineRun run = CommandLineRun.of("exercise", "exit-rule", file + "", "--json");
    assertThat(run.code()).isEqualTo(1);
    JsonObject json = Json.parse("standard output", run.out(), JsonLimits.DATA);
    assertThat(json.getBoolean("passed")).isFalse();
    assertThat(json.getObjects("checks"))
        .filteredOn(check -> check.getString("outcome").equals("failed"))
        .singleElement()
        .satisfies(check -> assertThat(check.getString("promise")).contains("threshold 1"));
  }

  @Test
  void theCompilersLinesAreShown() throws Exception {
    Path file = rule("maybe");
    CommandLineRun run = CommandLineRun.of("exercise", "exit-rule", file + "");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .contains("MyExitRule.java:7: error: cannot find symbol", "return maybe;", "^")
        .endsWith("sortie: " + file + ": does not compile\n");
  }

  /** A loop that does not listen keeps its thread, but not the program. */
  @Test
  void aLoopWithoutEndIsStopped() throws Exception {
    Path file = rule("loop()");
    Files.writeString(
        file,
        Files.readString(file)
            .replaceAll("}\\s*$", "  static boolean loop() {\n    while (true) {}\n  }\n}\n"));
    try (CommandLineProcess process =
        new CommandLineProcess(
            java.util.Map.of(), "exercise", "exit-rule", file + "", "--time-limit", "1")) {
      CommandLineRun run = process.end();
      assertThat(run.code()).as(run.err()).isEqualTo(1);
      assertThat(run.out())
          .contains("did not end within 1.0 s (MyExitRule.java:", "----  ")
          .endsWith("0 of 6 checks passed\n");
    }
  }

  @Test
  void wrongUseIsOneLine() throws Exception {
    CommandLineRun.of("exercise", "softmax").assertRefused(2, "softmax-gradient, all-reduce");
    CommandLineRun.of("exercise", "--out", folder + "").assertRefused(2, "--out", "NAME");
    CommandLineRun.of("exercise", "exit-rule", "F.java", "--out", folder + "")
        .assertRefused(2, "--out", "F.java");
    CommandLineRun.of("exercise", "exit-rule", folder.resolve("none.java") + "")
        .assertRefused(1, "none.java", "./sortie exercise exit-rule --out");
    CommandLineRun.of("exercise", "exit-rule", folder + "").assertRefused(1, folder.toString());
    CommandLineRun.of("exercise", "exit-rule", rule("true") + "", "--time-limit", "0")
        .assertRefused(2, "--time-limit 0");
  }
}
