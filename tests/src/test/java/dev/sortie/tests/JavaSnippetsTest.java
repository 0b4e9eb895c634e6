package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The Java programs of the documentation run as they stand there, those of a page in one folder one
 * after the other. Where a block without a language follows a program, it is what the program
 * prints.
 */
@Tag("slow")
@Tag("any-kernels")
class JavaSnippetsTest {
  private static final Path ROOT = Path.of("..");

  private static final Pattern PROGRAM =
      Pattern.compile("(?ms)^```java\\n(.*?)^```\\n(?:\\n```\\n(.*?)^```\\n)?");

  @TempDir private Path temp;

  static List<Path> pages() throws IOException {
    try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) { // the tour has a test of its own
      List<Path> pages =
          Stream.concat(
                  Stream.of(ROOT.resolve("README.md")),
                  docs.filter(file -> file.toString().endsWith(".md")))
              .filter(page -> read(page).contains("```java"))
              .toList();
      assertThat(pages).hasSizeGreaterThanOrEqualTo(2);
      return pages;
    }
  }

  private static String read(Path page) {
    try {
      return Files.readString(page);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void everyProgramRuns(Path page) throws Exception {
    List<MatchResult> programs = PROGRAM.matcher(read(page)).results().toList();
    assertThat(programs).hasSize(read(page).split("```java", -1).length - 1);
    for (MatchResult program : programs) {
      String printed = run(program.group(1));
      if (program.group(2) != null) {
        assertThat(printed).isEqualTo(program.group(2));
      }
    }
  }

  private String run(String program) throws Exception {
    Path file = Files.writeString(temp.resolve("Program.java"), program);
    Path err = temp.resolve("err");
    Process process =
        new ProcessBuilder(TestPrograms.command(file.getFileName().toString()))
            .directory(temp.toFile())
            .redirectError(err.toFile())
            .start();
    String out =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(program + Files.readString(err)).isZero();
    assertThat(out).as(program).isNotBlank();
    return out;
  }
}
