package dev.sortie.eetuning.plot;

import java.util.ArrayList;
import java.util.List;

/**
 * One axis of a plot: a range of values laid on a range of pixels, with ticks at round values.
 *
 * @param low smallest value
 * @param high largest value, above {@code low}
 * @param step distance between ticks: 1, 2 or 5 times a power of ten
 * @param from pixel of {@code low}
 * @param to pixel of {@code high}
 */
record PlotAxis(double low, double high, double step, double from, double to) {

  /** An axis whose ends are ticks and that holds all values; some space even for a single value. */
  static PlotAxis around(double min, double max, int intervals, double from, double to) {
    double pad = Math.max(Math.abs(max), 1) * 1e-9;
    if (max - min <= pad) {
      double half = Math.max(Math.abs(max) * 0.05, 0.01);
      min -= half;
      max += half;
    }
    double step = roundStep((max - min) / intervals);
    double slack = step * 1e-9;
    double low = Math.floor((min + slack) / step) * step;
    double high = Math.ceil((max - slack) / step) * step;
    return new PlotAxis(low, high, step, from, to);
  }

  /** The smallest of 1, 2, 5 times a power of ten that is at least {@code raw}. */
  static double roundStep(double raw) {
    double power = Math.pow(10, Math.floor(Math.log10(raw)));
    for (int factor : new int[] {1, 2, 5}) {
      if (factor * power >= raw * (1 - 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  /** The pixel of a value. */
  double at(double value) {
    return from + (to - from) * (value - low) / (high - low);
  }

  /** Tick values from {@code low} on, ascending. */
  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    long count = (long) Math.floor((high - low) / step + 1e-6);
    for (long i = 0; i <= count; i++) {
      ticks.add(low + i * step);
    }
    return ticks;
  }

  /** Decimals that tell neighbouring ticks apart. */
  int decimals() {
    return Math.max(0, (int) Math.ceil(-Math.log10(step) - 1e-9));
  }
}
