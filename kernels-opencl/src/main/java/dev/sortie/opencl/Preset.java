package dev.sortie.opencl;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How kernels are cut for a kind of device: what the macros of the sources are set to.
 *
 * @param name of the preset
 * @param panels whether matrix products run on packed panels in registers, else on tiles in local
 *     memory
 * @param local work-items of a group where each has elements of its own
 * @param halfBits whether F16 is decoded by integer operations
 * @param spaces the cuts that may be chosen, the usual one first
 * @param cuts the chosen ones
 */
record Preset(
    String name,
    boolean panels,
    int local,
    boolean halfBits,
    Map<Family, List<Cut>> spaces,
    Map<Family, Cut> cuts) {

  /** The presets that can be chosen by name. */
  static final List<String> NAMES = List.of("auto", "cpu", "gpu");

  /**
   * The preset for a device, with its usual cuts.
   *
   * @param word one of {@link #NAMES}
   */
  static Preset of(ClDevice device, String word) {
    int most = Integer.highestOneBit(Math.max(1, device.maxWorkGroup()));
    boolean cpu =
        switch (word) {
          case "auto" -> device.about().type() == OpenClDevice.Type.CPU;
          case "cpu" -> true;
          case "gpu" -> false;
          default ->
              throw new IllegalArgumentException(
                  "preset " + word + " of OpenCL kernels is none of " + NAMES);
        };
    Map<Family, List<Cut>> spaces =
        cpu ? Spaces.cpu() : Spaces.gpu(most, device.about().localMemory());
    Map<Family, Cut> usual = new EnumMap<>(Family.class);
    spaces.forEach((family, cuts) -> usual.put(family, cuts.getFirst()));
    return new Preset(cpu ? "cpu" : "gpu", cpu, Math.min(64, most), cpu, spaces, usual);
  }

  /** This one with another cut of a family. */
  Preset with(Family family, Cut cut) {
    Map<Family, Cut> changed = new EnumMap<>(cuts);
    changed.put(family, cut);
    return new Preset(name, panels, local, halfBits, spaces, changed);
  }

  Cut cut(Family family) {
    return cuts.get(family);
  }

  /** Whether a family is not cut as usual. */
  boolean tuned() {
    return cuts.entrySet().stream()
        .anyMatch(e -> !e.getValue().equals(spaces.get(e.getKey()).getFirst()));
  }

  /** The options for the compiler: the family's own macros, and those that all sources need. */
  String options(Family family) {
    Map<String, Integer> macros = new TreeMap<>(cut(Family.ROWS).macros());
    if (panels) { // weights are packed into panels as wide as the product's
      macros.put("PANEL", cut(Family.MATRIX).get("PANEL"));
    }
    macros.putAll(cut(family).macros());
    return "-cl-std=CL1.2" + new Cut(macros).options() + (halfBits ? " -DHALF_BITS" : "");
  }
}
