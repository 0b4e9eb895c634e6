package dev.sortie.eetuning.host;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The most memory that this process has had in RAM so far.
 *
 * @param bytes how much
 * @param whole whether it is all of the process, as Linux counts it; elsewhere it is what the JVM
 *     knows of itself, its heap and its code, without tensors
 */
public record PeakMemory(long bytes, boolean whole) {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Pattern PEAK = Pattern.compile("(?m)^VmHWM:\\s+(\\d+) kB$");

  /** Of this process until now. */
  public static PeakMemory now() {
    try {
      if (Files.isReadable(STATUS)) {
        return of(Files.readString(STATUS));
      }
    } catch (IOException e) {
      System.getLogger(PeakMemory.class.getName())
          .log(System.Logger.Level.DEBUG, () -> STATUS + " cannot be read: " + e.getMessage());
    }
    return ofJvm();
  }

  /** From the text of {@code /proc/self/status}. */
  static PeakMemory of(String status) {
    Matcher m = PEAK.matcher(status);
    return m.find() ? new PeakMemory(Long.parseLong(m.group(1)) << 10, true) : ofJvm();
  }

  private static PeakMemory ofJvm() {
    long sum = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      sum += pool.getPeakUsage().getUsed();
    }
    return new PeakMemory(sum, false);
  }

  /** One line for people. */
  public String describe() {
    return String.format(
        Locale.ROOT,
        whole ? "peak resident memory %,d MiB" : "peak memory of the JVM, without tensors, %,d MiB",
        bytes >> 20);
  }
}
