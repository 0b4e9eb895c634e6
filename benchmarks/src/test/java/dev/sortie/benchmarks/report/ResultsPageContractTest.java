package dev.sortie.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsPageContractTest {
  private static final String LINE =
      """
      {"name":"gemm","device":"<cpu>","rows":[{"case":"%s","ours":2,"peer":1,"unit":"x","ratio":%s}],\
      "geomean":%s,"peer":"p","java":"j","date":"2026-01-31","commit":"%s"}
      """;

  @TempDir Path dir;

  private Path file(String text) throws IOException {
    return Files.writeString(dir.resolve("results.jsonl"), text);
  }

  @Test
  void barsShowTheNewestRunAndTheTableAll() throws IOException {
    String lines =
        LINE.formatted("old case", 0.5, 0.5, "aaa") + LINE.formatted("new case", 40, 40, "bbb");
    String page = ResultsPage.of(Recorded.read(file(lines)));
    assertThat(page)
        .contains("new case", "40.00", "aaa", "bbb", "&lt;cpu&gt;")
        .doesNotContain("old case", "<cpu>", "NaN");
  }

  @Test
  void aBrokenLineIsNamed() throws IOException {
    Path file = file(LINE.formatted("a", 1.5, 1.5, "c") + "{\"name\":\"gemm\"}\n");
    assertThatThrownBy(() -> Recorded.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("line 2")
        .hasMessageContaining("rows");
  }
}
