package dev.sortie.eetuning.cost;

import java.util.Optional;

/**
 * What one exit costs.
 *
 * @param depth after how many backbone layers it stands
 * @param layer its own transformer layer for the last of several tokens, those before it leaving
 *     their keys and values there; empty where the architecture has none
 * @param check seconds to find its logits and their confidence for one token
 */
public record ExitCost(int depth, Optional<RowTimes> layer, double check) {
  public ExitCost {
    if (depth < 1) {
      throw new IllegalArgumentException("exit depth is " + depth + ", expected at least 1");
    }
    if (!(check >= 0 && Double.isFinite(check))) {
      throw new IllegalArgumentException("a check takes " + check + " seconds, expected 0 or more");
    }
  }

  /** Seconds of its own layer for the last of {@code rows} tokens that lack it. */
  double layerSeconds(int rows) {
    return layer.map(l -> l.at(rows)).orElse(0.0);
  }

  /** Seconds to store {@code rows} tokens' keys and values in its own layer. */
  double fillSeconds(int rows) {
    return Math.max(0, layerSeconds(rows + 1) - layerSeconds(1));
  }

  /** Seconds that one token costs which comes by and is asked. */
  public double each() {
    return layerSeconds(1) + check;
  }
}
