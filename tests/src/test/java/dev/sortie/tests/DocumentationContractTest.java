package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.sortie.tests.MarkdownPage.Fence;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands and programs of the documentation run as they stand there: those of a page from top
 * to bottom, in a folder of its own. A page that links to the first steps begins with the files
 * that they have made. {@code -Dsortie.page=docs/serve.md} runs one page alone.
 */
@Tag("any-kernels")
@DisabledOnOs(OS.WINDOWS) // the pages are written for a POSIX shell
class DocumentationContractTest {
  private static final Path USAGE = MarkdownPage.ROOT.resolve("docs/usage.md");
  private static final String FIRST_STEPS = "First steps";

  /** Languages of blocks that are no commands and no programs. */
  private static final Set<String> SHOWN = Set.of("text", "json", "xml", "gbnf");

  private static final Pattern COMMAND =
      Pattern.compile("(?m)^(\\w+=\\S+ )*(\\./sortie|curl|java|mvn|keytool|docker|apt-get|mkdir) ");

  /** Pages whose commands another test runs. */
  private static final Pattern ELSEWHERE = Pattern.compile("docs/tour/.*|docs/package\\.md");

  @TempDir private static Path temp;

  private static PageShell shell;

  @BeforeAll
  static void makeShell() throws IOException {
    shell = PageShell.of(temp.resolve("tools"));
  }

  @AfterAll
  static void close() {
    shell.close();
  }

  /** So that no command escapes the tests. */
  @Test
  void everyBlockSaysWhatItIs() throws IOException {
    for (MarkdownPage page : MarkdownPage.all()) {
      for (Fence fence : page.fences()) {
        switch (fence.language()) {
          case "sh" -> Need.of(fence);
          case "java" -> {}
          default -> {
            assertThat(SHOWN).as(fence.toString()).contains(fence.language());
            assertThat(fence.text()).as(fence.toString()).doesNotContainPattern(COMMAND);
          }
        }
      }
    }
  }

  @TestFactory
  @Tag("slow")
  List<DynamicTest> everyBlockRuns() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    List<MarkdownPage> pages = new ArrayList<>();
    for (MarkdownPage page : MarkdownPage.all()) {
      boolean chosen = System.getProperty("sortie.page", page.name()).equals(page.name());
      if (chosen && !ELSEWHERE.matcher(page.name()).matches()) {
        pages.add(page);
      }
    }
    assertThat(pages).as("-Dsortie.page").isNotEmpty();
    Path first = shell.checkout(temp.resolve(FIRST_STEPS));
    if (pages.stream().anyMatch(DocumentationContractTest::continuesFirstSteps)) {
      for (Fence fence : MarkdownPage.read(USAGE).fences()) {
        if (isFirstStep(fence)) {
          tests.add(dynamicTest(fence.toString(), () -> shell.run(fence, first)));
        }
      }
      assertThat(tests).isNotEmpty();
    }
    for (MarkdownPage page : pages) {
      addTests(page, first, tests);
    }
    return tests;
  }

  private static boolean isFirstStep(Fence fence) {
    return fence.page().equals(USAGE) && fence.heading().equals(FIRST_STEPS);
  }

  private static boolean continuesFirstSteps(MarkdownPage page) {
    return page.file().equals(USAGE) || page.text().contains("usage.md#first-steps");
  }

  private static void addTests(MarkdownPage page, Path first, List<DynamicTest> tests) {
    Path folder = temp.resolve(page.name().replace('/', ' '));
    boolean continues = continuesFirstSteps(page);
    boolean serves = false;
    for (Fence fence : page.fences()) {
      if (!isFirstStep(fence) && !SHOWN.contains(fence.language())) {
        serves |= PageShell.startsServer(fence);
        tests.add(
            dynamicTest(
                fence.toString(),
                () -> {
                  if (Files.notExists(folder)) {
                    begin(folder, continues ? first : null);
                  }
                  shell.run(fence, folder);
                }));
      }
    }
    if (serves) {
      tests.add(dynamicTest(page.name() + ": the server ends", shell::stopServer));
    }
  }

  private static void begin(Path folder, Path first) throws IOException {
    if (first == null) {
      shell.checkout(folder);
      return;
    }
    Files.walkFileTree(
        first,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path from, BasicFileAttributes attributes)
              throws IOException {
            Files.createDirectory(folder.resolve(first.relativize(from).toString()));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path from, BasicFileAttributes attributes)
              throws IOException {
            Path to = folder.resolve(first.relativize(from).toString());
            Files.copy(from, to, LinkOption.NOFOLLOW_LINKS);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
