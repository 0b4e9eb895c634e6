package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Training for long holds its memory. It runs in a JVM of its own, whose heap has a fixed size and
 * is touched at the start: then resident memory grows only by what is off the heap.
 */
@Tag("slow")
class SoakTest {
  private static final int WARM_UP = 500;
  private static final int EARLY = 1000;
  private static final int LATE = 1500;

  /**
   * Growth allowed from the lowest sample between {@link #WARM_UP} and {@link #EARLY} to the lowest
   * from {@link #LATE} on: lowest, because a JIT compilation takes 5 MiB and more until the next
   * rest. What grows rightly is compiled code, below 0.8 MiB in twelve runs beside each other on a
   * 2-core x86-64 machine. A leak of one step's smallest part, a gradient table of 5,700 F32
   * numbers, is 22 MiB in a thousand steps.
   */
  private static final long GROWTH_KIB = 6 << 10;

  /** One line of {@link SoakRun}. */
  private record Sample(int step, long residentKib, long workspaceBytes, double loss) {
    static Sample of(String line) {
      String[] part = line.split(" ");
      return new Sample(
          Integer.parseInt(part[0]),
          Long.parseLong(part[1]),
          Long.parseLong(part[2]),
          Double.parseDouble(part[3]));
    }
  }

  @Test
  @Timeout(value = 120, unit = TimeUnit.SECONDS)
  void residentMemoryIsFlatOverTwoThousandSteps() throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Files.exists(SoakRun.STATUS), "resident memory is read from /proc, which is not there");
    List<Sample> samples = run();
    assertThat(samples).hasSize(SoakRun.STEPS / SoakRun.EVERY);
    long early = lowest(samples, WARM_UP, EARLY);
    long late = lowest(samples, LATE, SoakRun.STEPS);
    assertThat(late - early).as("growth in KiB: %s", samples).isLessThan(GROWTH_KIB);
    assertThat(samples.stream().map(Sample::workspaceBytes).distinct())
        .as("bytes of the workspace")
        .hasSize(1);
    assertThat(samples.getLast().loss).as("it did train").isLessThan(0.1);
  }

  private static long lowest(List<Sample> samples, int from, int to) {
    return samples.stream()
        .filter(s -> s.step >= from && s.step <= to)
        .mapToLong(Sample::residentKib)
        .min()
        .orElseThrow();
  }

  private static List<Sample> run() throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
    // what the JIT has freed goes back to the OS
    command.add("-XX:TrimNativeHeapInterval=100");
    // a thread waits for what it has the JIT compile: a sample is then taken beside no compilation,
    // also where other processes keep the processor busy
    command.addAll(List.of("-Xbatch", "-XX:-UseDynamicNumberOfCompilerThreads"));
    command.addAll(
        List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
    String kernels = System.getProperty("sortie.kernels");
    if (kernels != null) {
      command.add("-Dsortie.kernels=" + kernels);
    }
    command.addAll(List.of("-cp", classPath(), SoakRun.class.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // one malloc arena: with one for each thread, freed memory of the JIT's threads stays resident
    builder.environment().put("MALLOC_ARENA_MAX", "1");
    Process process = builder.start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as("exit code; output: %s", output).isZero();
      return output.lines().filter(line -> !line.startsWith("WARNING")).map(Sample::of).toList();
    } finally {
      process.destroyForcibly();
    }
  }

  /** All that this JVM has on its module and class paths, and the test classes. */
  private static String classPath() {
    Path testClasses = Fixture.folder("adamw").getParent().getParent();
    return Stream.of(
            testClasses.toString(),
            System.getProperty("jdk.module.path"),
            System.getProperty("java.class.path"))
        .filter(Objects::nonNull)
        .filter(path -> !path.isEmpty())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
