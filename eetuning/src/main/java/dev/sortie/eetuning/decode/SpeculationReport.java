package dev.sortie.eetuning.decode;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What speculation did, prompts apart.
 *
 * @param passes through the whole model
 * @param rows tokens in them, guesses included
 * @param sources by name, in the order given
 */
public record SpeculationReport(int passes, int rows, Map<String, Guesses> sources) {
  public SpeculationReport {
    sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
  }

  /**
   * Guesses of one source.
   *
   * @param verified that a pass verified
   * @param accepted that turned out right
   */
  public record Guesses(int verified, int accepted) {}
}
