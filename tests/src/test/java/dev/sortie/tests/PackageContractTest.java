package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.file.Sha256;
import dev.sortie.tests.MarkdownPage.Fence;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@code ./sortie dist} makes runs where there is no Java, and is the same bytes each time.
 */
@EnabledOnOs(OS.LINUX)
@Tag("any-kernels")
@Tag("slow")
class PackageContractTest {
  /** Bytes that a package without models may have. */
  private static final long MOST = 80_000_000;

  @TempDir private static Path shared;
  @TempDir private Path empty;

  private static Path packed;

  private record Run(int code, String out, String err) {}

  private static Run run(Path folder, Map<String, String> environment, List<String> words)
      throws Exception {
    Path err = Files.createTempFile(shared, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(words).directory(folder.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), out, Files.readString(err));
  }

  private static Path dist(String name) throws Exception {
    Path out = shared.resolve(name).resolve("sortie");
    Files.createDirectories(out.getParent());
    Run run =
        run(
            shared,
            Map.of(
                "PATH", System.getenv("PATH"),
                "HOME", System.getProperty("user.home"),
                "JAVA_HOME", System.getProperty("java.home")),
            List.of(
                MarkdownPage.ROOT.resolve("sortie").toString(), "dist", "--out", out.toString()));
    assertThat(run.code()).as(run.err()).isZero();
    return out;
  }

  /** As the page about packages does it, whose other commands use the package. */
  @BeforeAll
  static void pack() throws Exception {
    try (PageShell shell = PageShell.of(shared.resolve("tools"))) {
      Path checkout = shell.checkout(shared.resolve("checkout"));
      for (Fence fence :
          MarkdownPage.read(MarkdownPage.ROOT.resolve("docs/package.md")).fences("sh")) {
        shell.run(fence, checkout);
      }
      packed = checkout.resolve("package/sortie");
    }
  }

  /** With no Java on the path, no home and no locale, from a folder with nothing in it. */
  private Run sortie(String... words) throws Exception {
    return launch(packed.resolve("sortie"), Map.of("PATH", "/usr/bin:/bin"), words);
  }

  private Run launch(Path launcher, Map<String, String> environment, String... words)
      throws Exception {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(words));
    return run(empty, environment, command);
  }

  @Test
  void itRunsWithoutJava() throws Exception {
    Run text = sortie("generate", "--model", "fable", "--prompt", "Once", "--max-tokens", "4");
    assertThat(text.code()).as(text.err()).isZero();
    assertThat(text.out()).startsWith("Once");
    assertThat(text.err()).doesNotContain("scalar kernels");
    Run demo = sortie("demo --out demo --steps 2 --text 2 --rounds 1 --tokens 4".split(" "));
    assertThat(demo.code()).as(demo.err()).isZero();
    assertThat(empty.resolve("demo/report.html")).exists();
    assertThat(sortie("--version").err()).doesNotContain("preparing the first start");
  }

  /** The JVM refuses to start if it cannot use what was prepared for it. */
  @Test
  void laterStartsUseTheCacheOfTheFirst() throws Exception {
    for (Path launcher : List.of(packed.resolve("sortie"), checkout().resolve("sortie"))) {
      Run run = runByJava(launcher, "-XX:AOTMode=on", "--version");
      assertThat(run.code()).as(run.err()).isZero();
    }
  }

  /** In a checkout, whose Java links classes beforehand only without the incubating module. */
  @Test
  void theVectorApiIsOnTheBootClassPathOfACheckout() throws Exception {
    Run run = runByJava(checkout().resolve("sortie"), "", "doctor", "--json");
    assertThat(run.err()).doesNotContain("incubator");
    assertThat(run.out())
        .contains("-Xbootclasspath/a:", "-XX:+EnableVectorSupport", "-XX:+EnableVectorReboxing")
        .contains("-XX:+EnableVectorAggressiveReboxing")
        .doesNotContain("--add-modules");
  }

  private static Path checkout() {
    return packed.resolve("../..").normalize();
  }

  /** With the Java of this test, and flags for it. */
  private Run runByJava(Path launcher, String flags, String... words) throws Exception {
    Map<String, String> environment =
        Map.of(
            "PATH", System.getenv("PATH"),
            "JAVA_HOME", System.getProperty("java.home"),
            "SORTIE_JAVA_OPTS", flags);
    return launch(launcher, environment, words);
  }

  @Test
  void whatNeedsTheSourcesIsRefusedInOneLine() throws Exception {
    for (String command : List.of("test", "bench", "dist", "java")) {
      Run refused = sortie(command);
      assertThat(refused.code()).isEqualTo(1);
      assertThat(refused.err()).hasLineCount(1).contains(command + " needs a checkout");
    }
  }

  /** Its java needs no flag for the module of vectors. */
  @Test
  void theRuntimeHasVectorsByItself() throws Exception {
    Run run =
        run(
            empty,
            Map.of(),
            List.of(
                packed.resolve("runtime/bin/java").toString(),
                "-cp",
                packed.resolve("lib") + "/*",
                "dev.sortie.eetuning.cli.Main",
                "generate",
                "--model",
                "fable",
                "--prompt",
                "Once",
                "--max-tokens",
                "2"));
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err()).doesNotContain("scalar kernels");
  }

  @Test
  void itsHashIsThatOfItsFiles() throws Exception {
    Run hash =
        run(
            packed.resolve("lib"),
            Map.of("PATH", "/usr/bin:/bin", "LC_ALL", "C"),
            List.of("bash", "-c", "sha256sum $(ls | grep -vx id) | sha256sum"));
    String id = Files.readString(packed.resolve("lib/id")).strip();
    assertThat(id).hasSize(16);
    assertThat(hash.out()).startsWith(id);
    try (Stream<Path> files = Files.list(packed.resolve("cache"))) {
      assertThat(files.filter(file -> file.toString().contains("-" + id))).hasSize(3);
    }
  }

  @Test
  void twoBuildsHaveTheSameBytesAndNotTooMany() throws Exception {
    Path archive = packed.resolveSibling("sortie.tar.gz");
    Path again = dist("again");
    assertThat(Sha256.of(again.resolveSibling("sortie.tar.gz"))).isEqualTo(Sha256.of(archive));
    assertThat(bytes(again)).isLessThan(MOST);
  }

  private static long bytes(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }
}
