package dev.sortie.nn.load;

import dev.sortie.nn.Printable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Memory that a process may still take without pushing others out: on Linux the smaller of {@code
 * MemAvailable} and what the limits of its control groups leave, of which pages that the system can
 * drop do not count as used; elsewhere all memory of the machine.
 *
 * @param bytes how much
 * @param origin which of them it is
 */
public record AvailableMemory(long bytes, String origin) {
  private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s+(\\d{1,15}) kB$");

  /** Version 2 is one hierarchy, version 1 has one for memory. */
  private static final Pattern GROUP =
      Pattern.compile("(?m)^(\\d+:(?:[^:\\n]*,)?memory(?:,[^:\\n]*)?|0:):(/.*)$");

  /** Of this process now. */
  public static AvailableMemory now() {
    return of(Path.of("/"));
  }

  /** From the files of Linux under {@code root}. */
  static AvailableMemory of(Path root) {
    AvailableMemory all =
        first(AVAILABLE, text(root.resolve("proc/meminfo"))).stream()
            .mapToObj(kib -> new AvailableMemory(kib << 10, "MemAvailable of this machine"))
            .findFirst()
            .orElseGet(AvailableMemory::ofJvm);
    Matcher group = GROUP.matcher(text(root.resolve("proc/self/cgroup")));
    while (group.find()) {
      boolean second = group.group(1).equals("0:");
      Path mount = root.resolve("sys/fs/cgroup");
      all = all.min(inGroup(second ? mount : mount.resolve("memory"), group.group(2), second));
    }
    return all;
  }

  private AvailableMemory min(AvailableMemory other) {
    return other.bytes < bytes ? other : this;
  }

  /** A group and all those above it; a container sees its own as the topmost. */
  private static AvailableMemory inGroup(Path mount, String name, boolean second) {
    AvailableMemory least = new AvailableMemory(Long.MAX_VALUE, "no limit");
    Path group = mount.resolve(name.substring(1)).normalize();
    for (; group != null && group.startsWith(mount); group = group.getParent()) {
      OptionalLong limit = number(group, second ? "memory.max" : "memory.limit_in_bytes");
      OptionalLong used = number(group, second ? "memory.current" : "memory.usage_in_bytes");
      if (limit.isPresent() && used.isPresent()) {
        long kept = Math.max(0, used.getAsLong() - droppable(group, second));
        least =
            least.min(
                new AvailableMemory(
                    Math.max(0, limit.getAsLong() - kept), "memory limit of the control group"));
      }
    }
    return least;
  }

  private static long droppable(Path group, boolean second) {
    String stat = text(group.resolve("memory.stat"));
    long sum = 0;
    for (String list : List.of("inactive_file", "active_file")) {
      Pattern line = Pattern.compile("(?m)^" + (second ? "" : "total_") + list + " (\\d{1,18})$");
      sum += first(line, stat).orElse(0);
    }
    return sum;
  }

  private static OptionalLong number(Path group, String file) {
    return first(Pattern.compile("^(\\d{1,18})\\s*$"), text(group.resolve(file)));
  }

  private static OptionalLong first(Pattern pattern, String text) {
    Matcher m = pattern.matcher(text);
    return m.find() ? OptionalLong.of(Long.parseLong(m.group(1))) : OptionalLong.empty();
  }

  /** Empty where there is no such file: not Linux, or another version of control groups. */
  private static String text(Path file) {
    try {
      return Files.isReadable(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      System.getLogger(AvailableMemory.class.getName())
          .log(System.Logger.Level.DEBUG, () -> file + " cannot be read: " + e.getMessage());
      return "";
    }
  }

  private static AvailableMemory ofJvm() {
    long total =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean os
            ? os.getTotalMemorySize()
            : Long.MAX_VALUE;
    return new AvailableMemory(total, "memory of this machine");
  }

  /** For people. */
  public String describe() {
    return Printable.size(bytes) + " are available";
  }
}
