package dev.sortie.eetuning.host;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.stream.Stream;

/**
 * Where and when something was measured.
 *
 * @param cpu name of the processor
 * @param cores cores that this process may use
 * @param java version and vendor of the JVM
 * @param kernels kernel set that computed
 * @param date day of the measurement, ISO 8601
 */
public record Machine(String cpu, int cores, String java, String kernels, String date) {
  public Machine {
    check("cpu", cpu);
    check("java", java);
    check("kernels", kernels);
    check("date", date);
    if (cores < 1) {
      throw new IllegalArgumentException("machine cores is " + cores + ", expected at least 1");
    }
  }

  private static void check(String name, String value) {
    if (value == null || value.isBlank()) {
      throw new IllegalArgumentException("machine " + name + " is blank, expected a text");
    }
  }

  /**
   * This machine, today.
   *
   * @param kernels name of the kernel set in use
   */
  public static Machine detect(String kernels) {
    return new Machine(
        cpuName(Path.of("/proc/cpuinfo")),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        kernels,
        LocalDate.now().toString());
  }

  /** The first model name in Linux's list of processors; elsewhere the architecture's name. */
  static String cpuName(Path cpuinfo) {
    String architecture = System.getProperty("os.arch");
    if (!Files.isReadable(cpuinfo)) {
      return architecture;
    }
    try (Stream<String> lines = Files.lines(cpuinfo, StandardCharsets.ISO_8859_1)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .filter(name -> !name.isEmpty())
          .findFirst()
          .orElse(architecture);
    } catch (IOException | UncheckedIOException e) {
      return architecture;
    }
  }
}
