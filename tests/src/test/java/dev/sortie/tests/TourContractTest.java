package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tests.MarkdownPage.Fence;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
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
  private static final Path TOUR = MarkdownPage.ROOT.resolve("docs/tour");

  /** The line before a program names its file. */
  private static final Pattern FILE_NAME = Pattern.compile("\\*\\*Run\\..*?`(\\w+\\.java)`.*");

  @TempDir private static Path temp;

  private static PageShell shell;

  /** Where the steps are run, as the list of steps makes it. */
  private static Path folder;

  private static List<MarkdownPage> steps() throws IOException {
    return MarkdownPage.all().stream()
        .filter(page -> page.name().matches("docs/tour/\\d\\d-.*\\.md"))
        .toList();
  }

  @BeforeAll
  static void makeTheFolder() throws Exception {
    shell = PageShell.of(temp.resolve("tools"));
    Path checkout = shell.checkout(temp.resolve("checkout"));
    List<Fence> start = MarkdownPage.read(TOUR.resolve("README.md")).fences("sh");
    assertThat(start).hasSize(1);
    shell.run(start.getFirst(), checkout);
    folder = checkout.resolve("tour");
    for (MarkdownPage page : steps()) {
      for (Fence program : page.fences("java")) {
        Matcher name = FILE_NAME.matcher(program.before());
        assertThat(name.matches()).as("%s has a file name", program).isTrue();
        Files.writeString(folder.resolve(name.group(1)), program.text());
      }
    }
  }

  @AfterAll
  static void close() {
    shell.close();
  }

  @TestFactory
  @Order(1)
  Stream<DynamicTest> everyCommandPrintsWhatThePageSays() throws IOException {
    return Stream.concat(
        steps().stream()
            .flatMap(page -> page.fences("sh").stream())
            .map(
                fence -> DynamicTest.dynamicTest(fence.toString(), () -> shell.run(fence, folder))),
        Stream.of(DynamicTest.dynamicTest("the server ends", shell::stopServer)));
  }

  /** Makes the pictures again; those of runs differ in the last digits between machines. */
  @Test
  @Order(2)
  void everyPictureIsMadeByARun() throws Exception {
    Path made = temp.resolve("pictures");
    List<String> command =
        TestPrograms.command(
            MarkdownPage.ROOT.resolve("examples/TourPictures.java").toString(),
            MarkdownPage.ROOT.resolve("examples/MicroSortie.java").toString(),
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
        Stream.concat(
                Stream.of(TOUR.resolve("README.md")), steps().stream().map(MarkdownPage::file))
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
