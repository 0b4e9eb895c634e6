package dev.sortie.opencl;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a {@link KernelTuner} chose on a device.
 *
 * @param choices by family; a family that is missing was not measured in time and keeps its usual
 *     cut
 */
record Tuning(Map<Family, Choice> choices) {
  /**
   * The choice for a family.
   *
   * @param cut the fastest
   * @param gain how many times as fast as the usual cut it was; 1 for the usual cut itself
   */
  record Choice(Cut cut, double gain) {}

  /** The preset with these cuts. */
  Preset apply(Preset preset) {
    Preset cut = preset;
    for (Map.Entry<Family, Choice> e : choices.entrySet()) {
      cut = cut.with(e.getKey(), e.getValue().cut());
    }
    return cut;
  }

  /** A line for each family: {@code MATRIX 1.183 PANEL=32 TILE_ROWS=12}. */
  String text() {
    StringBuilder lines = new StringBuilder();
    choices.forEach(
        (family, choice) ->
            lines.append(
                String.format(Locale.ROOT, "%s %.3f %s%n", family, choice.gain(), choice.cut())));
    return lines.toString();
  }

  /** Reads {@link #text}; nothing if a line is broken or its cut is none of the preset's space. */
  static Optional<Tuning> parse(String text, Preset preset) {
    Map<Family, Choice> choices = new EnumMap<>(Family.class);
    for (String line : text.lines().toList()) {
      String[] words = line.split(" ", 3);
      try {
        Family family = Family.valueOf(words[0]);
        double gain = Double.parseDouble(words[1]);
        List<Cut> space = preset.spaces().get(family);
        Optional<Cut> cut = space.stream().filter(c -> c.toString().equals(words[2])).findFirst();
        if (cut.isEmpty() || !(gain >= 1) || choices.containsKey(family)) {
          return Optional.empty();
        }
        choices.put(family, new Choice(cut.get(), gain));
      } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
        return Optional.empty();
      }
    }
    return Optional.of(new Tuning(choices));
  }
}
