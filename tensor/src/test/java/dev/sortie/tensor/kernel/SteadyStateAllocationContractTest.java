package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kernels allocate next to nothing once compiled, whatever ran before them. A vector that C2 cannot
 * keep in a register becomes an object: the results stay right, and the kernel is ten times slower.
 *
 * <p>What C2 inlines varies a little from one start of the JVM to the next, by the timing of its
 * threads. So the count is made in a JVM of its own, and the promise is that one of three keeps it:
 * a kernel that is too large for C2 fails in all of them.
 */
@Tag("slow")
class SteadyStateAllocationContractTest {
  private static final int STARTS = 3;

  /** Reads or writes a value of several bytes at any address. */
  private static final Pattern UNALIGNED =
      Pattern.compile("jdk\\.internal\\.misc\\.Unsafe::\\w+Unaligned");

  @Test
  void kernelsAllocateNothingInSteadyState(@TempDir Path folder)
      throws IOException, InterruptedException {
    assertAllocateNothing(folder);
  }

  /**
   * A vector that a loop carries has the type of its variable to C2, not that of its width: a
   * method called on it is found by the profile of earlier calls, and where that says nothing, is a
   * call, which takes an object. So loops call methods on what was computed last and give the
   * carried vector as an argument. Long, and the same code at every width, so at one only.
   */
  @Test
  void kernelsNeedNoProfileOfTypes(@TempDir Path folder) throws IOException, InterruptedException {
    assumeThat(System.getProperty(KernelSets.PROPERTY, "auto")).isEqualTo("auto");
    assertAllocateNothing(folder, "-XX:-UseTypeProfile");
  }

  /**
   * C1 refuses a method of many hundred vector operations at tier 3, and compiles it at tier 2,
   * where no calls are counted: some JVMs then never hand it to C2. So kernels are cut.
   */
  @Test
  void noKernelIsTooLargeForC1(@TempDir Path folder) throws IOException, InterruptedException {
    assumeVectors();
    Process run =
        start(
            folder,
            List.of(
                "-XX:TieredStopAtLevel=3",
                "-XX:CompileThresholdScaling=0.01",
                "-XX:+PrintCompilation"),
            List.of(AllocationRun.COMPILED));
    List<String> lines = lines(run);
    assertThat(run.waitFor()).isZero();
    assertThat(lines).as("methods that were compiled").anyMatch(l -> l.contains("QueryColumns::"));
    assertThat(lines)
        .as("methods that C1 refused")
        .noneMatch(l -> l.contains("COMPILE SKIPPED") && l.contains("dev.sortie."));
  }

  /**
   * With the launcher's commands kernels are compiled at their first calls, before the JVM has
   * counted how often they read single values. A call that is left there costs all registers: sums
   * of Q4_0 took three times as long.
   */
  @Test
  void noCallIsLeftWhereASingleValueIsRead(@TempDir Path folder)
      throws IOException, InterruptedException {
    assumeThat(System.getProperty(KernelSets.PROPERTY, "auto")).isEqualTo("auto");
    assumeVectors();
    Process run =
        start(
            folder,
            List.of(
                "-XX:CompileCommandFile=src/main/jvm/kernels",
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:+PrintInlining"),
            List.of(AllocationRun.COMPILED));
    List<String> lines = lines(run);
    assertThat(run.waitFor()).isZero();
    assertThat(lines).as("what was inlined").anyMatch(l -> l.contains("Unsafe::getIntUnaligned"));
    assertThat(lines)
        .as("calls that are left")
        .noneMatch(l -> UNALIGNED.matcher(l).find() && l.contains("low call site frequency"));
  }

  private static void assumeVectors() {
    try (WorkerPool pool = new WorkerPool(1)) {
      String set = KernelSets.choose(pool).name();
      assumeThat(set).as("the scalar reference may allocate").startsWith("simd");
    }
  }

  private static void assertAllocateNothing(Path folder, String... flags)
      throws IOException, InterruptedException {
    assumeVectors();
    List<String> found = new ArrayList<>();
    for (int start = 0; start < STARTS; start++) {
      Process run = start(folder, List.of(flags), List.of());
      List<String> output = lines(run);
      if (run.waitFor() == 0) {
        return;
      }
      found.add("exit code " + run.exitValue() + ": " + String.join("\n", output));
    }
    assertThat(found).as("kernels that allocate, in each of the starts").isEmpty();
  }

  private static Process start(Path folder, List<String> flags, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(
        List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-Dsortie.kernels=" + System.getProperty("sortie.kernels", "auto"),
            "-cp",
            place(Kernels.class) + File.pathSeparator + place(AllocationRun.class),
            AllocationRun.class.getName(),
            folder.toString()));
    command.addAll(arguments);
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  private static List<String> lines(Process run) throws IOException {
    try (BufferedReader reader = run.inputReader(StandardCharsets.UTF_8)) {
      return reader.readAllLines();
    }
  }

  /** The folder that a class was read from. A test is patched into its module, so by resource. */
  private static Path place(Class<?> type) {
    String resource = type.getName().replace('.', '/') + ".class";
    Path path = Path.of(URI.create(type.getResource("/" + resource).toString()));
    for (int i = 0; i <= type.getName().chars().filter(c -> c == '.').count(); i++) {
      path = path.getParent();
    }
    return path;
  }
}
