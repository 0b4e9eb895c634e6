package dev.sortie.tensor.kernel.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The file by which the launcher has kernels compiled at their first calls names all of them. */
class CompiledKernelsContractTest {
  private static final Path COMMANDS = Path.of("src/main/jvm/kernels");
  private static final Path SOURCES = Path.of("src/main/java/dev/sortie/tensor/kernel/simd");
  private static final Pattern COMMAND =
      Pattern.compile("(\\w+),dev/sortie/tensor/kernel/simd/(\\S+)\\.\\*,(\\S+)");

  /** Vectors, but no kernel: a peak that is measured warm. */
  private static final Set<String> OTHERS = Set.of("FmaPeak");

  @Test
  void eachClassThatComputesOnVectorsIsNamedAndNoPatternIsIdle() throws IOException {
    List<String> classes;
    try (Stream<Path> files = Files.walk(SOURCES)) {
      classes =
          files
              .filter(f -> f.toString().endsWith(".java"))
              .filter(CompiledKernelsContractTest::computesOnVectors)
              .map(f -> SOURCES.relativize(f).toString().replace(".java", ""))
              .filter(name -> !OTHERS.contains(name))
              .toList();
    }
    assertThat(classes).hasSizeGreaterThan(30);
    List<String> patterns = patterns("CompileThresholdScaling", "0.003");
    assertThat(patterns("BackgroundCompilation", "false")).isEqualTo(patterns);
    assertThat(classes)
        .allMatch(name -> patterns.stream().anyMatch(p -> matches(p, name)), "named");
    assertThat(patterns).allMatch(p -> classes.stream().anyMatch(name -> matches(p, name)), "used");
  }

  private static boolean computesOnVectors(Path file) {
    try {
      return Files.readString(file).contains("import jdk.incubator.vector.");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> patterns(String command, String value) throws IOException {
    return Files.readAllLines(COMMANDS).stream()
        .map(COMMAND::matcher)
        .filter(m -> m.matches() && m.group(1).equals(command) && m.group(3).equals(value))
        .map(m -> m.group(2))
        .toList();
  }

  private static boolean matches(String pattern, String name) {
    return pattern.endsWith("*")
        ? name.startsWith(pattern.substring(0, pattern.length() - 1))
        : name.equals(pattern);
  }
}
