package dev.sortie.eetuning.train;

/** Where training gets its token windows. */
public interface TokenSource {
  /**
   * Window {@code index} of the endless, shuffled training stream: {@code T + 1} tokens. Depends on
   * the index only.
   */
  int[] window(long index);

  /** Number of held-out windows. */
  int validationCount();

  /** Held-out window {@code i}. */
  int[] validation(int i);

  /** Length of the model's input, T. */
  int length();

  /** What identifies the data. */
  String fingerprint();
}
