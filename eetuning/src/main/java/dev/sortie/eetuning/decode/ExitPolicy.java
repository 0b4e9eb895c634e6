package dev.sortie.eetuning.decode;

/** Decides whether an exit's prediction is taken. */
public interface ExitPolicy {

  /**
   * Whether to leave at this exit.
   *
   * @param depth where it stands
   * @param confidence the largest probability of its softmax, at temperature 1
   */
  boolean exits(int depth, double confidence);

  /** Whether the answer is no whatever the confidence: then exits need not be computed. */
  boolean never();
}
