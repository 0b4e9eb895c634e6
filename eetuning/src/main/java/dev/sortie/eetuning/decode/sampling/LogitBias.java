package dev.sortie.eetuning.decode.sampling;

import java.util.Map;

/**
 * Adds to the logits of some tokens. It has no state, so texts may share it.
 *
 * @param byToken what to add, by id within the vocabulary
 */
public record LogitBias(Map<Integer, Float> byToken) implements LogitRule {
  public LogitBias {
    byToken = Map.copyOf(byToken);
  }

  @Override
  public void apply(float[] logits) {
    byToken.forEach((id, bias) -> logits[id] += bias);
  }

  @Override
  public void chosen(int id) {}
}
