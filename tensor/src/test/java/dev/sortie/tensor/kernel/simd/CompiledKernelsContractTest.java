package dev.sortie.tensor.kernel.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
      Pattern.compile("(\\w+),dev/sortie/tensor/kernel/simd/(\\S+)\\.([^.,]+),(\\S+)");

  private static final Pattern DIRECTIVE =
      Pattern.compile("match: \\[([^\\]]+)\\],\\s+c1: \\{ Exclude: (\\w+) }");
  private static final Pattern METHOD =
      Pattern.compile("\"dev/sortie/tensor/kernel/simd/([^\"]+)\"");

  private static final String THRESHOLDS = "CompileThresholdScaling";
  private static final String LOW = "0.0015";
  private static final String NORMAL = "1.0";

  /** Vectors, but no kernel: a peak that is measured warm. */
  private static final Set<String> MEASURED = Set.of("FmaPeak");

  /** Loops over memory that have no vectors. */
  private static final Set<String> LOOPS = Set.of("attention/QueryRows", "vector/ReadAhead");

  @Test
  void eachClassThatComputesOnVectorsIsNamed() throws IOException {
    List<String> classes;
    try (Stream<Path> files = Files.walk(SOURCES)) {
      classes =
          files
              .filter(f -> f.toString().endsWith(".java"))
              .filter(CompiledKernelsContractTest::computesOnVectors)
              .map(f -> SOURCES.relativize(f).toString().replace(".java", ""))
              .filter(name -> !MEASURED.contains(name))
              .toList();
    }
    assertThat(classes).hasSizeGreaterThan(30);
    List<String> named = named(THRESHOLDS, LOW);
    assertThat(named("BackgroundCompilation", "false")).isEqualTo(named);
    assertThat(named).containsAll(LOOPS).doesNotHaveDuplicates();
    assertThat(named.stream().filter(name -> !LOOPS.contains(name)))
        .containsExactlyInAnyOrderElementsOf(classes);
  }

  @Test
  void eachMethodThatIsLeftOutIsOneOfANamedClass() throws Exception {
    List<String> methods = named(THRESHOLDS, NORMAL);
    assertThat(named("BackgroundCompilation", "true")).isEqualTo(methods).isNotEmpty();
    for (String method : methods) {
      int dot = method.indexOf('.');
      String owner = method.substring(0, dot);
      Class<?> type = Class.forName("dev.sortie.tensor.kernel.simd." + owner.replace('/', '.'));
      assertThat(named(THRESHOLDS, LOW)).contains(owner);
      assertThat(Arrays.stream(type.getDeclaredMethods()).map(Method::getName))
          .contains(method.substring(dot + 1));
    }
  }

  /** C1 leaves alone what has low thresholds, and compiles what was left out. */
  @Test
  void theDirectivesNameTheSameMethods() throws IOException {
    List<Directive> directives = directives();
    assertThat(directives).hasSize(2);
    assertThat(directives.getFirst().excluded()).isFalse();
    assertThat(directives.getFirst().methods()).isEqualTo(named(THRESHOLDS, NORMAL));
    assertThat(directives.getLast().excluded()).isTrue();
    assertThat(directives.getLast().methods())
        .isEqualTo(named(THRESHOLDS, LOW).stream().map(name -> name + ".*").toList());
  }

  /** The methods that a directive is for, and whether C1 leaves them alone. */
  private record Directive(List<String> methods, boolean excluded) {}

  private static List<Directive> directives() throws IOException {
    String text = Files.readString(COMMANDS.resolveSibling("kernels.json"));
    return DIRECTIVE
        .matcher(text)
        .results()
        .map(
            m ->
                new Directive(
                    METHOD.matcher(m.group(1)).results().map(r -> r.group(1)).toList(),
                    Boolean.parseBoolean(m.group(2))))
        .toList();
  }

  private static boolean computesOnVectors(Path file) {
    try {
      return Files.readString(file).contains("import jdk.incubator.vector.");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The classes, or the methods of classes, for which a command has this value. */
  private static List<String> named(String command, String value) throws IOException {
    return Files.readAllLines(COMMANDS).stream()
        .map(COMMAND::matcher)
        .filter(m -> m.matches() && m.group(1).equals(command) && m.group(4).equals(value))
        .map(m -> m.group(3).equals("*") ? m.group(2) : m.group(2) + "." + m.group(3))
        .toList();
  }
}
