package dev.sortie.opencl;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a device is opened.
 *
 * @param preset how kernels are cut: {@code auto} by the kind of device, {@code cpu} or {@code gpu}
 * @param shareMemory whether to work on the host's own memory where the device can; otherwise
 *     contents are copied as a graphics card needs it
 * @param cache folder of compiled programs, if they are to be kept
 */
public record OpenClOptions(String preset, boolean shareMemory, Optional<Path> cache) {
  /** The system property that names a preset. */
  public static final String PRESET = "sortie.opencl.preset";

  /** The system property that says {@code share} (the default) or {@code copy}. */
  public static final String MEMORY = "sortie.opencl.memory";

  public OpenClOptions {
    if (!Preset.NAMES.contains(preset)) {
      throw new IllegalArgumentException(
          "-D" + PRESET + "=" + preset + " is not a preset; take one of " + Preset.NAMES);
    }
  }

  /** What the system properties say; programs are kept in the user's cache folder. */
  public static OpenClOptions usual() {
    String memory = System.getProperty(MEMORY, "share");
    if (!memory.equals("share") && !memory.equals("copy")) {
      throw new IllegalArgumentException(
          "-D" + MEMORY + "=" + memory + " is neither share nor copy");
    }
    return new OpenClOptions(
        System.getProperty(PRESET, "auto"),
        memory.equals("share"),
        Optional.of(BinaryCache.usual()));
  }
}
