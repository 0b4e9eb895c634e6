package dev.sortie.eetuning.decode;

/** Guesses as many tokens as allowed, whatever comes of it. */
record FixedDraftLength(int most) implements DraftLength {
  @Override
  public double plainRate() {
    return 0;
  }

  @Override
  public Choice choose(int source, int kind, int available) {
    return new Choice(Math.min(most, available), 1 + source);
  }

  @Override
  public void compared(int source, int kind, int right, boolean failed) {}

  @Override
  public void finished(int source, int limit, double seconds, int emitted) {}
}
