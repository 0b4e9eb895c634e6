package dev.sortie.eetuning.decode.sampling;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Lowers the logits of tokens that were chosen before: by {@code frequency} for each time and by
 * {@code presence} once. Tokens of the prompt do not count.
 */
public final class CountPenalty implements LogitRule {
  private final double frequency;
  private final double presence;
  private final Map<Integer, Integer> counts = new LinkedHashMap<>();

  /** Negative penalties are rewards. */
  public CountPenalty(double frequency, double presence) {
    this.frequency = frequency;
    this.presence = presence;
  }

  @Override
  public void apply(float[] logits) {
    counts.forEach((id, count) -> logits[id] = (float) (logits[id] - count * frequency - presence));
  }

  @Override
  public void chosen(int id) {
    counts.merge(id, 1, Integer::sum);
  }
}
