package dev.sortie.eetuning.eval;

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
    Checks.text("machine cpu", cpu);
    Checks.atLeast("machine cores", cores, 1);
    Checks.text("machine java", java);
    Checks.text("machine kernels", kernels);
    Checks.text("machine date", date);
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
