package dev.sortie.eetuning.cli.startup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TestJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class BootClassesContractTest {
  private static final int JAVA_6 = 50;

  @TempDir private Path folder;

  @Test
  void vectorsAndPicocliAreInItAndNothingElse() throws Exception {
    Path jar = folder.resolve("boot.zip");
    run(jar);
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      List<String> names = Collections.list(zip.entries()).stream().map(ZipEntry::getName).toList();
      assertThat(names)
          .contains("jdk/incubator/vector/FloatVector.class", "picocli/CommandLine.class")
          .allMatch(n -> n.startsWith("jdk/incubator/vector/") || n.startsWith("picocli/"))
          .doesNotContain("module-info.class");
      for (String name : names) {
        byte[] content = zip.getInputStream(zip.getEntry(name)).readAllBytes();
        assertThat(content[7]).as(name).isGreaterThanOrEqualTo((byte) JAVA_6);
      }
    }
  }

  @Test
  void theFlagsOpenWhatIsOpenToTheModule() throws Exception {
    assertThat(run(folder.resolve("boot.zip")))
        .contains("--add-exports=java.base/jdk.internal.vm.vector=ALL-UNNAMED")
        .allMatch(
            flag -> flag.matches("--add-exports=java\\.base/jdk\\.internal[.a-z]*=ALL-UNNAMED"));
  }

  @Test
  void theSameJavaGivesTheSameBytes() throws Exception {
    Path one = folder.resolve("one.zip");
    Path two = folder.resolve("two.zip");
    run(one);
    run(two);
    assertThat(Files.mismatch(one, two)).isEqualTo(-1);
  }

  /** In a JVM of its own, with the classes on the class path; the lines of its standard output. */
  private static List<String> run(Path jar) throws Exception {
    Process process =
        new ProcessBuilder(TestJvm.command(BootClasses.class, jar.toString()))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    List<String> lines = process.inputReader().lines().toList();
    assertThat(process.waitFor()).isZero();
    return lines;
  }
}
