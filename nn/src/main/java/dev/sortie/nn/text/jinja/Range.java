package dev.sortie.nn.text.jinja;

/** The numbers from {@code start} by {@code step} up to, not including, {@code stop}. */
record Range(long start, long stop, long step, int length) {
  /** As many as Jinja's sandbox allows. */
  static final int LONGEST = 100_000;

  static Range of(long start, long stop, long step) {
    if (step == 0) {
      throw new ValueException("range() has step 0");
    }
    double exact = Math.ceil(((double) stop - (double) start) / step);
    if (exact > LONGEST) {
      throw new ValueException("range() has more than " + LONGEST + " numbers");
    }
    return new Range(start, stop, step, (int) Math.max(0, exact));
  }

  long get(int index) {
    return start + index * step;
  }
}
