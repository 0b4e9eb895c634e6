package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands and programs of the tour run as they stand there, in order and in one folder, and
 * print what the pages say.
 */
@Tag("slow")
@Tag("any-kernels")
@DisabledOnOs(OS.WINDOWS) // the pages are written for a POSIX shell
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TourContractTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path TOUR = ROOT.resolve("docs/tour");

  /** A block of commands, and the block of output that may follow. */
  private static final Pattern COMMANDS =
      Pattern.compile("(?ms)^```sh\\n(.*?)^```\\n(?:\\n```\\n(.*?)^```\\n)?");

  /** A program, and before it the name of its file. */
  private static final Pattern PROGRAM =
      Pattern.compile(
          "(?ms)^\\*\\*Run\\.[^\\n]*?`(\\w+\\.java)`[^\\n]*\\n\\n```java\\n(.*?)^```\\n");

  private static final Pattern EXIT_CODE = Pattern.compile("# exit code (\\d)");

  @TempDir private static Path checkout;

  /** Where the steps are run, as the list of steps makes it. */
  private static Path folder;

  private static List<Path> steps() throws IOException {
    try (Stream<Path> files = Files.list(TOUR)) {
      return files
          .filter(file -> file.getFileName().toString().matches("\\d\\d-.*\\.md"))
          .sorted()
          .toList();
    }
  }

  @BeforeAll
  static void makeTheFolder() throws Exception {
    Path script =
        Files.writeString(
            checkout.resolve("sortie"),
            """
            #!/bin/sh
            case $1 in
              java) shift; exec %s "$@" ;;
              *) exec %s "$@" ;;
            esac
            """
                .formatted(
                    quoted(TestPrograms.command()),
                    quoted(TestPrograms.command("dev.sortie.eetuning.cli.Main"))));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    Files.createSymbolicLink(checkout.resolve("examples"), ROOT.resolve("examples"));
    List<MatchResult> blocks = COMMANDS.matcher(read(TOUR.resolve("README.md"))).results().toList();
    assertThat(blocks).hasSize(1);
    assertRuns(blocks.getFirst(), checkout);
    folder = checkout.resolve("tour");
    for (Path page : steps()) {
      List<MatchResult> programs = PROGRAM.matcher(read(page)).results().toList();
      assertThat(programs).hasSize(read(page).split("```java", -1).length - 1);
      for (MatchResult program : programs) {
        Files.writeString(folder.resolve(program.group(1)), program.group(2));
      }
    }
  }

  private static String quoted(List<String> words) {
    return words.stream()
        .map(word -> "'" + word.replace("'", "'\\''") + "'")
        .collect(Collectors.joining(" "));
  }

  @TestFactory
  @Order(1)
  Stream<DynamicTest> everyCommandPrintsWhatThePageSays() throws IOException {
    return steps().stream()
        .flatMap(
            page ->
                COMMANDS
                    .matcher(read(page))
                    .results()
                    .map(
                        block ->
                            DynamicTest.dynamicTest(
                                page.getFileName()
                                    + ": "
                                    + block.group(1).lines().findFirst().get(),
                                () -> assertRuns(block, folder))));
  }

  private static void assertRuns(MatchResult block, Path place) throws Exception {
    Path out = checkout.resolve("standard-output");
    Path err = checkout.resolve("standard-error");
    ProcessBuilder shell =
        new ProcessBuilder("bash", "-c", "set -eo pipefail\n" + block.group(1))
            .directory(place.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    String java = Path.of(System.getProperty("java.home"), "bin").toString();
    shell.environment().merge("PATH", java, (path, first) -> first + ":" + path);
    shell.environment().put("XDG_CACHE_HOME", checkout.resolve("cache").toString());
    Process process = shell.start();
    process.getOutputStream().close();
    if (!process.waitFor(10, TimeUnit.MINUTES)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    Matcher code = EXIT_CODE.matcher(block.group(1));
    assertThat(process.exitValue())
        .as(Files.readString(err))
        .isEqualTo(code.find() ? Integer.parseInt(code.group(1)) : 0);
    if (block.group(2) != null) {
      assertThat(Files.readString(out)).matches(pattern(block.group(2)));
    }
  }

  /** {@code …} stands for anything within a line, and alone on a line for any lines. */
  private static Pattern pattern(String page) {
    String pattern =
        page.lines()
            .map(
                line ->
                    line.equals("…")
                        ? "(?:.*\\n)*?"
                        : Stream.of(line.split("…", -1))
                                .map(Pattern::quote)
                                .collect(Collectors.joining(".*"))
                            + "\\n")
            .collect(Collectors.joining());
    return Pattern.compile(pattern);
  }

  /** Makes the pictures again; those of runs differ in the last digits between machines. */
  @Test
  @Order(2)
  void everyPictureIsMadeByARun() throws Exception {
    Path made = checkout.resolve("pictures");
    List<String> command =
        TestPrograms.command(
            ROOT.resolve("examples/TourPictures.java").toString(),
            ROOT.resolve("examples/MicroSortie.java").toString(),
            folder.resolve("tuned").toString(),
            made.toString());
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isZero();
    assertThat(made.resolve("micro.svg")).hasSameTextualContentAs(TOUR.resolve("micro.svg"));
    Path loss = Files.copy(folder.resolve("tuned/loss.svg"), made.resolve("tune.svg"));
    Path schedule = Files.copy(folder.resolve("schedule.svg"), made.resolve("schedule.svg"));
    for (Path picture : List.of(made.resolve("exits.svg"), loss, schedule)) {
      Path committed = TOUR.resolve(picture.getFileName());
      assertThat(titles(picture)).isEqualTo(titles(committed)).isNotEmpty();
    }
  }

  private static List<String> titles(Path svg) {
    return Pattern.compile("<title id=.*</title>")
        .matcher(read(svg))
        .results()
        .map(MatchResult::group)
        .toList();
  }

  @Test
  void pagesNameFilesThatAreThereAndPicturesThatAreShown() throws IOException {
    String all =
        Stream.concat(Stream.of(TOUR.resolve("README.md")), steps().stream())
            .map(TourContractTest::read)
            .collect(Collectors.joining());
    List<String> links =
        Pattern.compile("]\\(([^)#]+)[)#]")
            .matcher(all)
            .results()
            .map(link -> link.group(1))
            .filter(link -> !link.startsWith("http"))
            .toList();
    assertThat(links).hasSizeGreaterThan(50);
    assertThat(links).allSatisfy(link -> assertThat(TOUR.resolve(link)).exists());
    try (Stream<Path> files = Files.list(TOUR)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .allSatisfy(
              name ->
                  assertThat(name.equals("README.md") || links.contains(name)).as(name).isTrue());
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
