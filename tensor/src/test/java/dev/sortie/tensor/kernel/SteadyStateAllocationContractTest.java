package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

  @Test
  void kernelsAllocateNothingInSteadyState(@TempDir Path folder)
      throws IOException, InterruptedException {
    try (WorkerPool pool = new WorkerPool(1)) {
      String set = KernelSets.choose(pool).name();
      assumeThat(set).as("the scalar reference may allocate").startsWith("simd");
    }
    List<String> found = new ArrayList<>();
    for (int start = 0; start < STARTS; start++) {
      Process run =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "--add-modules=jdk.incubator.vector",
                  "--enable-native-access=ALL-UNNAMED",
                  "-Dsortie.kernels=" + System.getProperty("sortie.kernels", "auto"),
                  "-cp",
                  place(Kernels.class) + File.pathSeparator + place(AllocationRun.class),
                  AllocationRun.class.getName(),
                  folder.toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String output = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (run.waitFor() == 0) {
        return;
      }
      found.add("exit code " + run.exitValue() + ": " + output.strip());
    }
    assertThat(found).as("kernels that allocate, in each of the starts").isEmpty();
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
