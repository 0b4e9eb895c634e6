package dev.sortie.eetuning.decode;

import dev.sortie.nn.InputException;
import java.util.Collections;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * Leaves at an exit when the largest probability reaches the threshold of that exit, as {@link
 * MaxProbability} does with one threshold for all. Exits without a threshold are never taken.
 *
 * @param byDepth thresholds 0 to 1; 1 never exits
 */
public record ExitThresholds(SequencedMap<Integer, Double> byDepth) implements ExitPolicy {
  public ExitThresholds {
    byDepth = Collections.unmodifiableSequencedMap(new TreeMap<>(byDepth));
    byDepth.forEach(
        (depth, threshold) -> {
          if (!(threshold >= 0 && threshold <= 1)) {
            throw new InputException(
                "the threshold of exit " + depth + " is " + threshold + ", outside 0 to 1");
          }
        });
  }

  @Override
  public boolean exits(int depth, double confidence) {
    double threshold = byDepth.getOrDefault(depth, 1.0);
    return threshold < 1 && confidence >= threshold;
  }

  @Override
  public boolean never() {
    return byDepth.values().stream().allMatch(threshold -> threshold >= 1);
  }
}
