package dev.sortie.eetuning.doctor;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.sortie.tensor.device.KernelSets;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The JVM and how it was started.
 *
 * @param version as {@link Runtime#version()}
 * @param feature the first number of it
 * @param name of the virtual machine
 * @param mode how it runs code, such as {@code mixed mode, sharing}
 * @param flags those of the command line
 * @param options values of the options that bear on the kernels, as far as this JVM has them
 * @param vectors whether the Vector API is there
 */
record Jvm(
    String version,
    int feature,
    String name,
    String mode,
    List<String> flags,
    Map<String, String> options,
    boolean vectors) {
  private static final List<String> OPTIONS =
      List.of("UseAVX", "MaxVectorSize", "TieredStopAtLevel", "EnableVectorSupport");

  Jvm {
    flags = List.copyOf(flags);
    options = Map.copyOf(options);
  }

  static Jvm running() {
    Map<String, String> options = new TreeMap<>();
    HotSpotDiagnosticMXBean hotspot =
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    for (String option : hotspot == null ? List.<String>of() : OPTIONS) {
      try {
        options.put(option, hotspot.getVMOption(option).getValue());
      } catch (IllegalArgumentException e) {
        continue; // not an option of this JVM, or of this kind of processor
      }
    }
    return new Jvm(
        Runtime.version().toString(),
        Runtime.version().feature(),
        System.getProperty("java.vm.name", ""),
        System.getProperty("java.vm.info", ""),
        ManagementFactory.getRuntimeMXBean().getInputArguments(),
        options,
        KernelSets.hasVectors());
  }

  /** Whether hot code is compiled at all. */
  boolean compiles() {
    return mode.contains("mixed") || mode.contains("compiled");
  }

  /** An option's number, or {@code other} where the JVM has no such option. */
  long number(String option, long other) {
    String value = options.get(option);
    return value == null ? other : Long.parseLong(value);
  }
}
