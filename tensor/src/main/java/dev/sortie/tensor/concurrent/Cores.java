package dev.sortie.tensor.concurrent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The cores that this process may use. Two hardware threads of one core share its arithmetic units,
 * which one kernel fills alone; so a worker pool has one thread a physical core by default.
 */
public final class Cores {
  private static final Path CPUS = Path.of("/sys/devices/system/cpu");
  private static final Path STATUS = Path.of("/proc/self/status");

  /** The file that lists a core's hardware threads, under its name now and before Linux 5. */
  private static final List<String> SIBLINGS = List.of("core_cpus_list", "thread_siblings_list");

  private Cores() {}

  /** Hardware threads that the JVM may use, limited by affinity and the container's quota. */
  public static int logical() {
    return Runtime.getRuntime().availableProcessors();
  }

  /**
   * Physical cores behind {@link #logical()}, at most as many. Equal to it where the system does
   * not tell, which is everywhere but on Linux.
   */
  public static int physical() {
    return physical(CPUS, STATUS, logical());
  }

  /**
   * Distinct cores in {@code cpus} (laid out as {@code /sys/devices/system/cpu}) among those that
   * {@code status} (as {@code /proc/self/status}) allows, at most {@code available}.
   */
  static int physical(Path cpus, Path status, int available) {
    try {
      BitSet allowed = new BitSet();
      for (String line : Files.readAllLines(status, StandardCharsets.ISO_8859_1)) {
        if (line.startsWith("Cpus_allowed_list:")) {
          allowed = list(line.substring(line.indexOf(':') + 1));
        }
      }
      Set<BitSet> cores = new HashSet<>();
      for (int cpu = allowed.nextSetBit(0); cpu >= 0; cpu = allowed.nextSetBit(cpu + 1)) {
        cores.add(siblings(cpus.resolve("cpu" + cpu).resolve("topology")));
      }
      return cores.isEmpty() ? available : Math.min(cores.size(), available);
    } catch (IOException | IllegalArgumentException e) {
      return available; // a hint is missing, or has a form that no Linux known writes
    }
  }

  private static BitSet siblings(Path topology) throws IOException {
    for (String name : SIBLINGS) {
      Path file = topology.resolve(name);
      if (Files.isReadable(file)) {
        return list(Files.readString(file, StandardCharsets.ISO_8859_1));
      }
    }
    throw new IOException("no list of hardware threads in " + topology);
  }

  /** Linux's lists of numbers, such as {@code 0-3,8}. */
  private static BitSet list(String text) {
    BitSet set = new BitSet();
    for (String part : text.strip().split(",")) {
      String[] ends = part.split("-", 2);
      int from = Integer.parseInt(ends[0].strip());
      int to = ends.length == 1 ? from : Integer.parseInt(ends[1].strip());
      if (from < 0 || to < from || to > 1 << 16) {
        throw new IllegalArgumentException("not a range of processors: " + part);
      }
      set.set(from, to + 1);
    }
    return set;
  }
}
