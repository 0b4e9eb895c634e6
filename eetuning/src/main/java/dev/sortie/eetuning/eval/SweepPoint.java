package dev.sortie.eetuning.eval;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * What one decoding setting gave.
 *
 * @param strategy name of the decoding strategy, such as "early-exit"
 * @param technique by what it may be faster than full depth
 * @param threshold confidence from which an exit is taken
 * @param activeExits depths of the exits that might be taken, in layers; empty at full depth
 * @param decodeTokensPerSecond generated tokens per second, prefill not counted; the median of the
 *     pairs
 * @param ratios of each pair: decode speed over that of full depth immediately before or after
 * @param agreement share of tokens that are what full depth chooses, 0 to 1
 * @param meanDepth mean over tokens of the depth at which they were decided, in layers
 * @param exits share of tokens per exit: keys are depths ("3") and "final"; they sum to 1. Kept
 *     shallow first
 */
public record SweepPoint(
    String strategy,
    Technique technique,
    double threshold,
    List<Integer> activeExits,
    double decodeTokensPerSecond,
    List<Double> ratios,
    double agreement,
    double meanDepth,
    SequencedMap<String, Double> exits) {

  /** Shares come from divided counts, so only rounding may separate their sum from 1. */
  private static final double SUM_TOLERANCE = 1e-6;

  public SweepPoint {
    ResultChecks.text("sweep strategy", strategy);
    ResultChecks.present("sweep technique", technique);
    ResultChecks.finite("sweep threshold", threshold);
    activeExits = activeExits.stream().sorted().distinct().toList();
    activeExits.forEach(depth -> ResultChecks.atLeast("active exit", depth, 1));
    ResultChecks.positive("sweep decode tokens per second", decodeTokensPerSecond);
    ResultChecks.require(!ratios.isEmpty(), "sweep has no pair with full depth");
    ratios = List.copyOf(ratios);
    ratios.forEach(ratio -> ResultChecks.positive("sweep speed-up of a pair", ratio));
    ResultChecks.share("sweep agreement", agreement);
    ResultChecks.positive("sweep mean depth", meanDepth);
    exits = checkedShares(exits);
  }

  /** Decode speed over that of full depth: the median of the pairs. */
  public double speedup() {
    return Median.of(ratios.stream().mapToDouble(r -> r));
  }

  private static SequencedMap<String, Double> checkedShares(SequencedMap<String, Double> shares) {
    LinkedHashMap<String, Double> ordered = new LinkedHashMap<>();
    double sum = 0;
    for (String key : ExitKeys.sorted(shares.keySet())) {
      double share = shares.get(key);
      ResultChecks.share("share of tokens at " + ExitKeys.label(key), share);
      sum += share;
      ordered.put(key, share);
    }
    ResultChecks.require(
        Math.abs(sum - 1) <= SUM_TOLERANCE,
        "shares of tokens per exit sum to " + sum + ", expected 1: " + ordered);
    return Collections.unmodifiableSequencedMap(ordered);
  }
}
