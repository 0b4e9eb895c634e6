package dev.sortie.eetuning.cli;

import dev.sortie.nn.format.Json;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what Sortie found on this machine. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "JDK, flags, vector width, chosen kernels, cores, memory, huge pages; what is slow and how to mend it.")
final class DoctorCommand implements Callable<Integer> {
  @Mixin private ComputeOptions compute;

  @Option(names = "--json", description = "One JSON object a topic.")
  private boolean json;

  @Override
  public Integer call() {
    List<String> advice = new ArrayList<>();
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("java", java(advice));
    root.put("kernels", kernels(advice));
    root.put("machine", machine());
    root.put("huge_pages", hugePages(advice));
    root.put("advice", advice);
    if (json) {
      System.out.println(Json.compact(root));
      return 0;
    }
    root.forEach(
        (topic, value) -> {
          if (value instanceof Map<?, ?> fields) {
            System.out.println(topic);
            fields.forEach((k, v) -> System.out.println("  " + k + ": " + v));
          }
        });
    System.out.println(advice.isEmpty() ? "nothing to mend" : "to mend");
    advice.forEach(a -> System.out.println("  " + a));
    return 0;
  }

  private static Map<String, Object> java(List<String> advice) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("version", Runtime.version().toString());
    m.put("vm", System.getProperty("java.vm.name"));
    m.put("flags", ManagementFactory.getRuntimeMXBean().getInputArguments());
    m.put("max_heap_bytes", Runtime.getRuntime().maxMemory());
    String info = System.getProperty("java.vm.info", "");
    if (!info.contains("mixed")) {
      advice.add("the JVM does not compile (" + info + "): start it without -Xint");
    }
    if (!String.valueOf(System.getProperty("java.vm.name")).contains("HotSpot")
        && !System.getProperty("java.vm.name").contains("OpenJDK")) {
      advice.add(
          "this JVM is not HotSpot; the Vector API may run very slowly: use an OpenJDK build");
    }
    return m;
  }

  private Map<String, Object> kernels(List<String> advice) {
    Map<String, Object> m = new LinkedHashMap<>();
    try (Device device = compute.open()) {
      m.put("set", device.kernels().name());
      m.put("threads", device.pool().threads());
      m.put("forced", System.getProperty("sortie.kernels", ""));
      if (device.kernels().name().equals("scalar")) {
        advice.add("the scalar kernels were forced; unset SORTIE_KERNELS for the vector kernels");
      }
    }
    return m;
  }

  private static Map<String, Object> machine() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    m.put("cores", Runtime.getRuntime().availableProcessors());
    if (ManagementFactory.getOperatingSystemMXBean()
        instanceof com.sun.management.OperatingSystemMXBean os) {
      m.put("memory_bytes", os.getTotalMemorySize());
      m.put("free_memory_bytes", os.getFreeMemorySize());
    }
    return m;
  }

  private static Map<String, Object> hugePages(List<String> advice) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("asked_for", NativeArena.hugePagesOffered());
    Path setting = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    if (Files.isReadable(setting)) {
      try {
        String value = Files.readString(setting).strip();
        m.put("transparent_hugepage", value);
        if (value.contains("[never]")) {
          advice.add(
              "transparent huge pages are off: echo madvise > "
                  + setting
                  + " (as root) speeds decoding up");
        }
      } catch (IOException e) {
        m.put("transparent_hugepage", "unreadable: " + e.getMessage());
      }
    }
    return m;
  }
}
