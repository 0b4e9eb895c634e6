package dev.sortie.eetuning.calibrate;

import java.util.Collections;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * Thresholds with what is guaranteed of them.
 *
 * @param exitsSha256 hash of the exits' tensor file
 * @param dtype how the matrices were held
 * @param arithmetic of products with weights in blocks, by its word
 * @param textTokens how many tokens of a text the exits' heads took, 0 if none did
 * @param thresholds by depth
 * @param promise what was tested
 */
public record Calibrated(
    String exitsSha256,
    String dtype,
    String arithmetic,
    int textTokens,
    SequencedMap<Integer, Double> thresholds,
    Promise promise) {

  public Calibrated {
    thresholds = Collections.unmodifiableSequencedMap(new TreeMap<>(thresholds));
  }

  /**
   * What holds, and from how much data it follows.
   *
   * @param risk what is bounded
   * @param guarantee how, and by how much
   * @param sequences sequences tested
   * @param tokens their tokens
   * @param measured mean loss over the sequences
   * @param score what decided, see {@link Guarantee#scoreName}
   * @param earlyShare share of tokens that left at an exit
   * @param predictedSpeedup over full depth, by the cost model
   * @param data names of the files
   */
  public record Promise(
      Risk risk,
      Guarantee guarantee,
      int sequences,
      long tokens,
      double measured,
      double score,
      double earlyShare,
      double predictedSpeedup,
      List<String> data) {}
}
