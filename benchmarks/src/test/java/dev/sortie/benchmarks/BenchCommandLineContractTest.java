package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class BenchCommandLineContractTest {
  @TempDir Path dir;

  private record Run(int code, String err) {}

  private static Run run(String... args) {
    StringWriter err = new StringWriter();
    CommandLine line = Bench.commandLine();
    line.setErr(new PrintWriter(err));
    int code = line.execute(args);
    return new Run(code, err.toString());
  }

  @Test
  void wrongUsageIsOneLineAndExitCode2() {
    for (String[] args :
        new String[][] {
          {},
          {"compare"},
          {"compare", "cobol"},
          {"compare", "gemm", "--rounds", "many"},
          {"compare", "gemm", "--case", "("},
          {"rows"},
          {"peers", "--where"}
        }) {
      Run run = run(args);
      assertThat(run.code()).as(String.join(" ", args)).isEqualTo(2);
      assertThat(run.err().strip()).startsWith("sortie: ").hasLineCount(1).contains("--help");
    }
  }

  /** What follows jmh is JMH's, which writes JSON to a file: -rf json. */
  @Test
  void everyCommandButJmhKnowsJson() {
    Bench.commandLine()
        .getSubcommands()
        .forEach(
            (name, command) ->
                assertThat(command.getCommandSpec().findOption("--json") != null)
                    .as(name)
                    .isEqualTo(!name.equals("jmh")));
  }

  /** picocli warns on the terminal of a percent sign that is no format. */
  @Test
  void everyHelpTextIsAFormat() {
    Bench.commandLine()
        .getSubcommands()
        .forEach(
            (name, command) -> {
              assertFormats(name, command.getCommandSpec().usageMessage().description());
              for (OptionSpec option : command.getCommandSpec().options()) {
                assertFormats(name + " " + option.longestName(), option.description());
              }
            });
  }

  private static void assertFormats(String of, String... texts) {
    for (String text : texts) {
      assertThatCode(() -> text.formatted()).as(of).doesNotThrowAnyException();
    }
  }

  @Test
  void valuesOutOfRangeAreOneLineAndExitCode2() {
    Run rounds = run("compare", "gemm", "--rounds", "0");
    assertThat(rounds.code()).isEqualTo(2);
    assertThat(rounds.err().strip()).isEqualTo("sortie: --rounds 0 is outside 1 to 1000");
    Run threads = run("compare", "gemm", "--threads", "0");
    assertThat(threads.err().strip()).isEqualTo("sortie: --threads 0 is outside 1 to 1024");
    String out = dir.resolve("runs.jsonl").toString();
    Run prompts = run("strategies", "--model", "fable", "--out", out, "--limit", "0");
    assertThat(prompts.code()).isEqualTo(2);
    assertThat(prompts.err().strip()).isEqualTo("sortie: --limit 0 must be at least 1");
  }

  @Test
  void aReportWithoutResultsSaysHowToGetSome() {
    Run run = run("report", "--results", dir.resolve("none.jsonl").toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip())
        .hasLineCount(1)
        .contains("none.jsonl")
        .contains("./sortie bench compare NAME --record");
  }

  @Test
  void anInterpreterThatIsNotThereIsNamed() {
    Run run = run("peers", "--dir", dir.resolve("p").toString(), "--python", "no-such-python");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("no-such-python").contains("--python");
  }

  @Test
  void afterJmhAllArgumentsAreJmhs() {
    CommandLine line = Bench.commandLine();
    line.parseArgs("jmh", "gemm", "-f", "3", "-p", "mnk=1x2x3", "-h");
    JmhCommand jmh = line.getSubcommands().get("jmh").getCommand();
    assertThat(jmh.arguments()).containsExactly("gemm", "-f", "3", "-p", "mnk=1x2x3", "-h");
  }

  @Test
  void otherFirstWordsGoToJmh() {
    CommandLine line = Bench.commandLine();
    assertThat(Bench.goesToJmh(line, "linear", "-f", "1")).isTrue();
    assertThat(Bench.goesToJmh(line, "-l")).isTrue();
    for (String own :
        new String[] {
          "compare",
          "rows",
          "strategies",
          "peers",
          "report",
          "cold",
          "live",
          "stories",
          "jmh",
          "--help"
        }) {
      assertThat(Bench.goesToJmh(line, own)).as(own).isFalse();
    }
    assertThat(Bench.goesToJmh(line)).isFalse();
  }
}
