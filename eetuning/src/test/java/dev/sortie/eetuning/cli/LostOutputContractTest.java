package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Output that cannot be written is never a success, and nothing is computed for it any more. */
@Tag("any-kernels")
@Tag("slow")
@EnabledOnOs(OS.LINUX)
class LostOutputContractTest {
  private static final File FULL = new File("/dev/full");

  @TempDir private static Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(temp);
  }

  private static CommandLineRun run(File out, List<String> words) throws Exception {
    Path err = Files.createTempFile(temp, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(CommandLineProcess.command(words.toArray(String[]::new)))
            .redirectError(err.toFile());
    if (out != null) {
      builder.redirectOutput(out);
    }
    Process process = builder.start();
    try {
      if (out == null) { // as head -c 5 does
        try (InputStream in = process.getInputStream()) {
          assertThat(in.readNBytes(5)).hasSize(5);
        }
      }
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ended").isTrue();
    } finally {
      process.destroyForcibly();
    }
    String said =
        Files.readAllLines(err).stream()
            .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
            .map(line -> line + "\n")
            .collect(Collectors.joining());
    return new CommandLineRun(process.exitValue(), "", said);
  }

  @TestFactory
  Stream<DynamicTest> onAFullDiskEachCommandFailsWithOneLine() {
    String m = " --threads 1 --model " + tiny.model();
    String exits = " --exits " + tiny.exits() + m;
    return Stream.of(
            "--help",
            "tune --help",
            "--version",
            "doctor --models",
            "tokenize --text hen --model " + tiny.model(),
            "tokenize --json --text hen --model " + tiny.model(),
            "score --json --file " + tiny.data() + m,
            "tune --json --steps 2 --seq-len 16 --data %s --out %s"
                    .formatted(tiny.data(), temp.resolve("tuned"))
                + exits,
            "eval --json --text %s --out %s".formatted(tiny.data(), temp.resolve("report")) + m,
            "generate --json --max-tokens 3 --prompt hen" + m,
            "generate --max-tokens 3 --prompt hen" + m,
            "launch --nproc 2 -- echo hen")
        .map(
            line ->
                DynamicTest.dynamicTest(
                    line.replace(temp.toString(), ""),
                    () -> {
                      CommandLineRun run = run(FULL, List.of(line.split(" ")));
                      assertThat(run.err().lines().filter(l -> l.startsWith("sortie: ")))
                          .containsExactly(
                              "sortie: standard output cannot be written: No space left on device; its end is missing");
                      assertThat(run.err()).doesNotContain("Exception", "\tat ");
                      assertThat(run.code()).isEqualTo(1);
                    }));
  }

  /** 20,000 texts of 20 tokens would take minutes. */
  @Test
  void generationEndsWhenItsReaderHasGone() throws Exception {
    Path prompts =
        Files.write(
            temp.resolve("prompts.txt"),
            IntStream.range(0, 20_000).mapToObj(i -> "The fox ran " + i).toList());
    CommandLineRun run =
        run(
            null,
            List.of(
                "generate",
                "--threads",
                "1",
                "--model",
                tiny.model().toString(),
                "--max-tokens",
                "20",
                "--ignore-eos",
                "--prompts",
                prompts.toString()));
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .endsWith("sortie: standard output cannot be written: Broken pipe; its end is missing\n");
    assertThat(run.err().lines().count()).as("texts that were finished").isLessThan(200);
  }

  /** With {@code --json} nothing is written before the end, and 20,000 texts would take minutes. */
  @Test
  void aResultThatNobodyWillReadIsNotComputed() throws Exception {
    Path prompts =
        Files.write(
            temp.resolve("prompts.txt"),
            IntStream.range(0, 20_000).mapToObj(i -> "The fox ran " + i).toList());
    String line =
        "generate --json --threads 1 --model %s --max-tokens 20 --ignore-eos --prompts %s"
            .formatted(tiny.model(), prompts);
    Process process =
        new ProcessBuilder(CommandLineProcess.command(line.split(" ")))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      process.getInputStream().close();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("ended").isTrue();
      assertThat(process.exitValue()).isEqualTo(1);
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void aJobEndsWhenItsReaderHasGone() throws Exception {
    CommandLineRun run =
        run(
            null,
            List.of("launch", "--nproc", "2", "--", "sh", "-c", "while echo hen; do :; done"));
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("standard output cannot be written: Broken pipe");
  }
}
