package dev.sortie.eetuning.train.data;

import java.util.stream.IntStream;

/** Where training gets its token windows. */
public interface TokenSource {
  /**
   * Window {@code index} of the endless, shuffled training stream: {@code T + 1} tokens. Depends on
   * the index only.
   */
  int[] window(long index);

  /** Windows {@code first} to {@code first + count - 1} of the training stream. */
  default int[][] windows(long first, int count) {
    return IntStream.range(0, count).mapToObj(i -> window(first + i)).toArray(int[][]::new);
  }

  /** At most {@code count} held-out windows from {@code first} on. */
  default int[][] validation(int first, int count) {
    int end = Math.min(first + count, validationCount());
    return IntStream.range(first, end).mapToObj(this::validation).toArray(int[][]::new);
  }

  /** Number of distinct windows in the training stream. */
  long distinctWindows();

  /**
   * Which of the distinct windows is window {@code index} of the training stream, from 0. Held-out
   * window {@code i} has number {@code distinctWindows + i}.
   */
  long number(long index);

  /**
   * How often each token stands in the distinct training windows.
   *
   * @param vocab number of tokens
   */
  long[] counts(int vocab);

  /** Number of held-out windows. */
  int validationCount();

  /** Held-out window {@code i}. */
  int[] validation(int i);

  /** Length of the model's input, T. */
  int length();

  /** What identifies the data. */
  String fingerprint();
}
