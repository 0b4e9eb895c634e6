package dev.sortie.benchmarks.paper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.cli.Main;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page of the paper's questions is that of the recorded figures, and its commands are theirs.
 */
class PaperPageContractTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
  private static final Path FIGURES = ROOT.resolve("benchmarks");
  private static final Path PAGE = ROOT.resolve("docs/results.md");
  private static final Pattern BLOCK = Pattern.compile("(?s)```sh\n(.*?)```");

  @TempDir Path dir;

  private static List<Run> runs() {
    return Arrays.stream(Experiment.values()).flatMap(Experiment::runs).toList();
  }

  @Test
  void theDocumentationHasThePageOfTheRecordedFigures() throws IOException {
    Path page = PaperResults.page(FIGURES, dir);
    assertThat(page).as("made by ./sortie bench paper --record").hasSameTextualContentAs(PAGE);
    try (Stream<Path> made = Files.list(dir.resolve("results"));
        Stream<Path> kept = Files.list(ROOT.resolve("docs/results"))) {
      List<Path> pictures = made.sorted().toList();
      assertThat(pictures.stream().map(p -> p.getFileName().toString()))
          .isNotEmpty()
          .containsExactlyElementsOf(kept.map(p -> p.getFileName().toString()).sorted().toList());
      for (Path p : pictures) {
        assertThat(p)
            .hasSameTextualContentAs(ROOT.resolve("docs/results").resolve(p.getFileName()));
      }
    }
  }

  @Test
  void figuresAreThoseOfTheCommandsOfToday() {
    Figures figures = Figures.read(FIGURES.resolve(PaperResults.FIGURES));
    Figures measured = Figures.readAny(FIGURES.resolve(PaperResults.MEASURED));
    for (Experiment e : Experiment.values()) {
      Figures those = e.isMeasured() ? measured : figures;
      if (!those.isEmpty()) {
        for (Run run : e.runs().toList()) {
          assertThat(those.command(run.id())).isEqualTo(run.line());
        }
      }
    }
    assertThat(runs().stream().map(Run::id)).doesNotHaveDuplicates();
  }

  @Test
  void commandsAreUnderstood() {
    for (Run run : runs()) {
      List<String> words = run.words();
      parse(words);
      int inner = words.indexOf("./sortie");
      if (inner >= 0) {
        parse(words.subList(inner + 1, words.size()));
      }
    }
  }

  private static void parse(List<String> words) {
    String[] line = words.toArray(String[]::new);
    Main.commandLine(line).parseArgs(line);
  }

  /** The loops on the page, run by a shell with a command that only says how it was called. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aShellMakesTheSameCommandsOfThePage() throws IOException, InterruptedException {
    Path sortie = dir.resolve("sortie");
    Files.writeString(sortie, "#!/bin/sh\necho \"./sortie $*\"\n");
    assertThat(sortie.toFile().setExecutable(true)).isTrue();
    StringBuilder script = new StringBuilder();
    Matcher blocks = BLOCK.matcher(Files.readString(PAGE));
    while (blocks.find()) {
      script.append(blocks.group(1));
    }
    Process shell =
        new ProcessBuilder("sh", "-c", script.toString())
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(shell.getInputStream().readAllBytes());
    assertThat(shell.waitFor()).as(said).isZero();
    List<String> lines = said.lines().filter(l -> !l.startsWith("./sortie bench")).toList();
    assertThat(lines).containsExactlyInAnyOrderElementsOf(runs().stream().map(Run::line).toList());
  }

  @Test
  void aMissingFigureIsNamed() throws IOException {
    List<String> lines = Files.readAllLines(FIGURES.resolve(PaperResults.FIGURES));
    Files.write(
        dir.resolve(PaperResults.FIGURES),
        lines.stream().filter(l -> !l.contains("\"score-norm-64\"")).toList());
    assertThatThrownBy(() -> PaperResults.page(dir, dir))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(PaperResults.FIGURES)
        .hasMessageContaining("score-norm-64");
  }

  @Test
  void loopsPutEachValueIntoIdsAndCommands() {
    Script script =
        Script.loop(
            "a",
            "x y",
            Script.step("one-$a", "tune $a"),
            Script.loop("b", "1 2", Script.step("$a$b", "eval $a $b")));
    assertThat(script.runs().map(Run::id))
        .containsExactly("one-x", "x1", "x2", "one-y", "y1", "y2");
    assertThat(script.runs().map(Run::line)).contains("./sortie tune x", "./sortie eval y 2");
    assertThat(script.shell(""))
        .isEqualTo(
            """
            for a in x y; do
              ./sortie tune $a
              for b in 1 2; do
                ./sortie eval $a $b
              done
            done
            """);
  }
}
