package dev.sortie.opencl;

import java.util.List;

/**
 * How kernels are cut for a kind of device: what the macros of the sources are set to.
 *
 * @param name of the preset
 * @param group work-items that share a row, a power of two
 * @param vector floats that a work-item takes at once: 4, 8 or 16
 * @param outputs rows of a weight that a group multiplies at once
 * @param panels whether matrix products run on packed panels in registers, else on tiles in local
 *     memory
 * @param tileX work-items of a tile side by side
 * @param tileY work-items of a tile one below the other
 * @param local work-items of a group where each has elements of its own
 * @param halfBits whether F16 is decoded by integer operations
 */
record Preset(
    String name,
    int group,
    int vector,
    int outputs,
    boolean panels,
    int tileX,
    int tileY,
    int local,
    boolean halfBits) {

  /** The presets that can be chosen by name. */
  static final List<String> NAMES = List.of("auto", "cpu", "gpu");

  /**
   * The preset for a device.
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
    if (cpu) {
      // A group of one work-item with vectors of 16: barriers would split its loops.
      return new Preset("cpu", 1, 16, 4, true, 1, 1, Math.min(64, most), true);
    }
    int tileX = Math.min(16, most);
    int tileY = Math.clamp(most / tileX, 1, 16);
    if (tileX == most && most > 1) { // a small device: a square rather than a strip
      tileX = Math.max(1, Integer.highestOneBit((int) Math.sqrt(most)));
      tileY = most / tileX;
    }
    return new Preset(
        "gpu", Math.min(64, most), 4, 2, false, tileX, tileY, Math.min(64, most), false);
  }

  /** The options for the compiler. */
  String options() {
    return "-cl-std=CL1.2 -DWG=%d -DVW=%d -DOUTPUTS=%d -DTX=%d -DTY=%d%s"
        .formatted(group, vector, outputs, tileX, tileY, halfBits ? " -DHALF_BITS" : "");
  }
}
