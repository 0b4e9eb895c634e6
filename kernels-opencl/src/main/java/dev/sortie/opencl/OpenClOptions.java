package dev.sortie.opencl;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a device is opened.
 *
 * @param preset how kernels are cut: {@code auto} by the kind of device, {@code cpu} or {@code gpu}
 * @param shareMemory whether to work on the host's own memory where the device can; otherwise
 *     contents are copied as a graphics card needs it
 * @param cache folder of compiled programs and tunings, if they are to be kept
 * @param tuned whether kernels are cut as the last tuning of the device found best, if there was
 *     one
 */
public record OpenClOptions(
    String preset, boolean shareMemory, Optional<Path> cache, boolean tuned) {
  /** The system property that names a preset. */
  public static final String PRESET = "sortie.opencl.preset";

  /** The system property that says {@code share} (the default) or {@code copy}. */
  public static final String MEMORY = "sortie.opencl.memory";

  /** The system property that says {@code kept} (the default) or {@code off}. */
  public static final String TUNING = "sortie.opencl.tuning";

  public OpenClOptions {
    if (!Preset.NAMES.contains(preset)) {
      throw new IllegalArgumentException(
          "-D" + PRESET + "=" + preset + " is not a preset; take one of " + Preset.NAMES);
    }
  }

  /** As {@code tuned}. */
  public OpenClOptions(String preset, boolean shareMemory, Optional<Path> cache) {
    this(preset, shareMemory, cache, true);
  }

  /** What the system properties say; programs are kept in the user's cache folder. */
  public static OpenClOptions usual() {
    return new OpenClOptions(
        System.getProperty(PRESET, "auto"),
        isFirst(MEMORY, "share", "copy"),
        Optional.of(BinaryCache.usual()),
        isFirst(TUNING, "kept", "off"));
  }

  /** Whether a property has the first of two words, which is its default. */
  private static boolean isFirst(String property, String first, String second) {
    String word = System.getProperty(property, first);
    if (!word.equals(first) && !word.equals(second)) {
      throw new IllegalArgumentException(
          "-D" + property + "=" + word + " is neither " + first + " nor " + second);
    }
    return word.equals(first);
  }
}
