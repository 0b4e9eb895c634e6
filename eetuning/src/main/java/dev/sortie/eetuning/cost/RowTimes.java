package dev.sortie.eetuning.cost;

import java.util.Collections;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Seconds that a piece of work takes on several rows (tokens) at once.
 *
 * @param seconds by number of rows; at least for one row
 */
public record RowTimes(NavigableMap<Integer, Double> seconds) {

  public RowTimes {
    seconds = Collections.unmodifiableNavigableMap(new TreeMap<>(seconds));
    if (!seconds.containsKey(1) || seconds.firstKey() < 1) {
      throw new IllegalArgumentException(
          "times for " + seconds.keySet() + " rows, expected 1 row and maybe more");
    }
    seconds.forEach(
        (rows, s) -> {
          if (!(s >= 0 && Double.isFinite(s))) {
            throw new IllegalArgumentException(
                rows + " rows take " + s + " seconds, expected 0 or more");
          }
        });
  }

  /** The same time for any number of rows. */
  public static RowTimes constant(double seconds) {
    return new RowTimes(new TreeMap<>(java.util.Map.of(1, seconds)));
  }

  /**
   * Seconds for {@code rows} rows: between measured numbers on the straight line, above the largest
   * at the price of a row that the last two give.
   */
  public double at(int rows) {
    if (rows < 1) {
      throw new IllegalArgumentException("rows are " + rows + ", expected at least 1");
    }
    if (seconds.size() == 1) {
      return seconds.get(1);
    }
    var above = seconds.ceilingEntry(rows);
    if (above == null) {
      above = seconds.lastEntry();
    }
    if (above.getKey() == rows) {
      return above.getValue();
    }
    var below = seconds.lowerEntry(above.getKey());
    double slope = (above.getValue() - below.getValue()) / (above.getKey() - below.getKey());
    return Math.max(0, below.getValue() + slope * (rows - below.getKey()));
  }
}
