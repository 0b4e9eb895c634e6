package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.tensor.device.Device;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ten thousand tokens take the memory of the cache that was set aside for them, and no more. */
@Tag("slow")
class LongRunContractTest {
  private static final int CONTEXT = 10_050;

  /** Layers of the model and of its exit, keys and values, two heads of 16 floats. */
  private static final long CACHE = CONTEXT * 3L * 2 * 2 * 16 * 4;

  private static final long MIB = 1 << 20;

  @TempDir private static Path folder;

  @BeforeAll
  static void makeModel() {
    assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "resident memory is Linux's");
    try (Device device = Device.cpu(1)) {
      assumeFalse(device.kernels().name().equals("scalar"), "the reference takes minutes for this");
    }
    TinyModel.write(folder, 2, 64, 290, CONTEXT, 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"block", "pages", "requests"})
  void memoryStaysWhatItIsAfterTheFirstTokens(String kind) throws Exception {
    List<String> lines = run(kind);
    long[] early = numbers(lines.get(0));
    long[] late = numbers(lines.get(1));
    assertThat(early[0]).isEqualTo(3_000);
    assertThat(late[0]).isEqualTo(10_000);
    assertThat((late[1] - early[1]) / MIB).as("MiB more of heap").isLessThan(2);
    // the cache's memory becomes resident as it is written, and the JVM continues to compile
    assertThat((late[2] - early[2] - CACHE) / MIB).as("MiB more of memory").isLessThan(12);
    if (!kind.equals("requests")) {
      assertThat(lines.get(2)).contains("the sequence is full", "" + CONTEXT);
    }
  }

  private static long[] numbers(String line) {
    return List.of(line.split(" ")).stream().mapToLong(Long::parseLong).toArray();
  }

  private static List<String> run(String kind) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
    // what the JIT has freed goes back to the OS
    command.add("-XX:TrimNativeHeapInterval=100");
    command.addAll(
        List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
    command.add("-Dsortie.kernels=" + System.getProperty("sortie.kernels", "auto"));
    command.addAll(List.of("-cp", classPath(), LongRun.class.getName()));
    command.addAll(List.of(folder.toString(), kind));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    // one malloc arena: with one for each thread, freed memory of the JIT's threads stays resident
    builder.environment().put("MALLOC_ARENA_MAX", "1");
    Process process = builder.start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(output).isZero();
      return output.lines().toList();
    } finally {
      process.destroyForcibly();
    }
  }

  /** All that this JVM has on its module and class paths, and the test classes. */
  private static String classPath() {
    String resource = "/" + LongRun.class.getName().replace('.', '/') + ".class";
    String url = LongRun.class.getResource(resource).toString();
    Path tests = Path.of(URI.create(url.substring(0, url.length() - resource.length())));
    return Stream.of(
            tests.toString(),
            System.getProperty("jdk.module.path"),
            System.getProperty("java.class.path"))
        .filter(Objects::nonNull)
        .filter(path -> !path.isEmpty())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
