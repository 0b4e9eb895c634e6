package dev.sortie.eetuning.decode.policy;

import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import java.util.Collections;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Leaves at an exit when the largest probability reaches the threshold of that exit, as {@link
 * MaxProbability} does with one threshold for all. Exits without a threshold are never taken.
 *
 * @param byDepth thresholds 0 to 1; 1 never exits
 */
public record ExitThresholds(SequencedMap<Integer, Double> byDepth) implements ExitPolicy {
  private static final Pattern WORD =
      Pattern.compile("([1-9][0-9]{0,5})=([0-9]{1,3}(?:\\.[0-9]{1,16})?)");

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

  /**
   * Thresholds from words such as {@code 20=0.7} or {@code 24=0.5}, a depth and its threshold each.
   *
   * @param what the words come from, for the message
   */
  public static ExitThresholds of(List<String> words, String what) {
    SequencedMap<Integer, Double> byDepth = new TreeMap<>();
    for (String word : words) {
      Matcher m = WORD.matcher(word.strip());
      if (!m.matches()) {
        throw new UsageException(
            what + ": '" + word + "' is not the depth of an exit and a threshold, as in 20=0.7");
      }
      if (byDepth.put(Integer.valueOf(m.group(1)), Double.valueOf(m.group(2))) != null) {
        throw new InputException(what + ": the exit after layer " + m.group(1) + " is there twice");
      }
    }
    return new ExitThresholds(byDepth);
  }

  /** Depths of the exits that may be taken, ascending. */
  public List<Integer> asked() {
    return byDepth.keySet().stream().filter(depth -> byDepth.get(depth) < 1).toList();
  }

  /** The lowest threshold. */
  public double least() {
    return byDepth.values().stream().min(Double::compare).orElse(1.0);
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
