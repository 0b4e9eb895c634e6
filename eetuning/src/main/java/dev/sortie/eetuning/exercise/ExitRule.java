package dev.sortie.eetuning.exercise;

/** To write: when a token leaves at an exit. */
public interface ExitRule {

  /**
   * How sure an exit is of its most likely token.
   *
   * @param largest the eight largest probabilities that the exit gives to tokens, falling; the rest
   *     up to 1 belongs to all other tokens
   * @return 0 to 1
   */
  double confidence(double[] largest);

  /**
   * Whether the token leaves here instead of going through the layers above.
   *
   * @param confidence what {@link #confidence} said
   * @param threshold 0 to 1; at 0 every token leaves, at 1 none
   */
  boolean exits(double confidence, double threshold);
}
