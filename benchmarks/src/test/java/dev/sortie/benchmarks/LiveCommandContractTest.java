package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.benchmarks.report.Recorded;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Tag("slow")
class LiveCommandContractTest {
  @TempDir Path dir;

  private static int run(StringWriter err, String... args) {
    CommandLine line = Bench.commandLine();
    line.setErr(new PrintWriter(err));
    return line.execute(args);
  }

  @Test
  @Timeout(180)
  void aPromptReadWhileItIsTypedIsComparedWithAWholeOne() {
    Path record = dir.resolve("live.jsonl");
    StringWriter err = new StringWriter();
    String[] args = {
      "live",
      "--model",
      "fable",
      "--rounds",
      "2",
      "--keys",
      "500",
      "--json",
      "--record",
      record.toString()
    };
    assertThat(run(err, args)).as(err.toString()).isZero();
    Recorded result = Recorded.read(record).getFirst();
    assertThat(result.name()).isEqualTo("live fable");
    assertThat(result.cases())
        .extracting(Recorded.Case::name)
        .as("512 tokens do not fit")
        .containsExactly("64 tokens", "200 tokens");
    assertThat(result.cases()).allMatch(c -> c.ours() > 0 && c.peer() > 0 && c.unit().equals("s"));
  }

  @Test
  void valuesOutOfRangeAreOneLine() {
    StringWriter err = new StringWriter();
    assertThat(run(err, "live", "--model", "fable", "--keys", "0")).isEqualTo(2);
    assertThat(err.toString().strip()).isEqualTo("sortie: --keys 0 is outside 1 to 10000");
  }
}
