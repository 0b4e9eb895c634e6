package dev.sortie.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
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
  void theDocumentationHasThePageOfTheRecordedRuns() throws IOException {
    Path root = Path.of("").toAbsolutePath().getParent();
    Path page = MarkdownPage.write(Recorded.read(root.resolve("benchmarks/results.jsonl")), dir);
    assertThat(page)
        .as("made by ./sortie bench report --markdown docs")
        .hasSameTextualContentAs(root.resolve("docs/recorded.md"));
    try (Stream<Path> made = Files.list(dir.resolve("recorded"));
        Stream<Path> kept = Files.list(root.resolve("docs/recorded"))) {
      List<Path> pictures = made.sorted().toList();
      assertThat(pictures.stream().map(p -> p.getFileName().toString()))
          .isNotEmpty()
          .containsExactlyElementsOf(kept.map(p -> p.getFileName().toString()).sorted().toList());
      for (Path p : pictures) {
        assertThat(p)
            .hasSameTextualContentAs(root.resolve("docs/recorded").resolve(p.getFileName()));
      }
    }
  }

  @Test
  void aPageOfTheDocumentationHasEachCaseAndNamesOnlyOnce() throws IOException {
    String lines =
        LINE.formatted("a|b", 1.2345, 0.5, "aaa")
            + LINE.formatted("c", 40, 40, "bbb").replace("<cpu>", "other");
    String page =
        Files.readString(MarkdownPage.write(Recorded.read(file(lines)), dir.resolve("docs")));
    assertThat(page)
        .contains("| a\\|b | 2 | 1 | x | 1.23 |", "| c | 2 | 1 | x | 40 |", "&lt;cpu>")
        .contains("(recorded/gemm.svg)", "(recorded/gemm-2.svg)");
  }

  @Test
  void aFolderThatCannotBeMadeIsNamed() throws IOException {
    List<Recorded> all = Recorded.read(file(LINE.formatted("a", 2, 2, "aaa")));
    Path taken = Files.writeString(dir.resolve("taken"), "");
    assertThatThrownBy(() -> MarkdownPage.write(all, taken))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(taken.resolve("recorded") + ": cannot be created as a folder");
  }

  /** As one of {@code bench ranks} that compares two commands at once with one rank alone. */
  @Test
  void aLineWithoutAMeanOfItsOwnHasThatOfItsCases() throws IOException {
    String lines =
        LINE.formatted("a", 2, 2, "aaa")
            + LINE.formatted("b", 1.5, 9, "bbb").replace("\"geomean\":9,", "")
            + LINE.formatted("c", 1, 1, "ccc").replace(",\"ratio\":1}", "}");
    assertThat(Recorded.read(file(lines)))
        .extracting(Recorded::geomean)
        .satisfiesExactly(
            two -> assertThat(two).isEqualTo(2),
            own -> assertThat(own).isCloseTo(1.5, offset(1e-12)));
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
