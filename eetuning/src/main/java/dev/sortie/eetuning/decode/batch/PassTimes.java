package dev.sortie.eetuning.decode.batch;

/**
 * How long passes take by their number of rows, as measured. Kernels of a number of rows are
 * compiled while they are first used, and the machine may be busy at times: so times fall faster
 * than they rise, a number of rows is known when it was measured some times, and forgotten when
 * that was long ago.
 */
final class PassTimes {
  /** Measurements until a number of rows is known. */
  private static final int FIRST = 3;

  /** Passes after which a number of rows is forgotten, and may be tried again. */
  private static final int LONG_AGO = 2000;

  private static final double FALLING = 0.5;
  private static final double RISING = 0.1;

  /**
   * Until it is measured, twice as many rows take so much more. It is 0.2 to 0.8 on SmolLM2-135M,
   * by type and number; what is taken for cheap is tried, and then measured.
   */
  private static final double ASSUMED = 0.2;

  private final double[] seconds;
  private final int[] measured;
  private final long[] last;
  private long passes;

  /**
   * Nothing is measured.
   *
   * @param most rows of a pass
   */
  PassTimes(int most) {
    seconds = new double[most + 1];
    measured = new int[most + 1];
    last = new long[most + 1];
  }

  /** Whether passes of so many rows were measured lately. */
  boolean knows(int rows) {
    return measured[rows] >= FIRST && passes - last[rows] < LONG_AGO;
  }

  /** A pass took so long. */
  void add(int rows, double time) {
    passes++;
    if (passes - last[rows] >= LONG_AGO) {
      measured[rows] = 0;
    }
    double before = seconds[rows];
    if (measured[rows] < FIRST) {
      seconds[rows] = measured[rows] == 0 ? time : Math.min(before, time);
    } else {
      double bounded = Math.min(time, 2 * before);
      seconds[rows] = before + (bounded < before ? FALLING : RISING) * (bounded - before);
    }
    measured[rows]++;
    last[rows] = passes;
    for (int r = 1; r < rows; r++) {
      if (seconds[r] > time) {
        seconds[r] += FALLING * (time - seconds[r]); // fewer rows never take longer
      }
    }
  }

  /**
   * Seconds of a pass of so many rows: as measured, else between its neighbours, or beyond the
   * greatest number that is known as little as may be.
   */
  double of(int rows) {
    if (knows(rows)) {
      return seconds[rows];
    }
    int below = rows - 1;
    while (below > 0 && !knows(below)) {
      below--;
    }
    int above = rows + 1;
    while (above < measured.length && !knows(above)) {
      above++;
    }
    if (below == 0) {
      return above < measured.length ? seconds[above] : 0;
    }
    double least = seconds[below] * (1 + ASSUMED * (rows - below) / below);
    if (above == measured.length) {
      return least;
    }
    double part = (double) (rows - below) / (above - below);
    return seconds[below] + part * (seconds[above] - seconds[below]);
  }
}
