package dev.sortie.eetuning.train.data;

/**
 * Windows that go through the backbone together.
 *
 * @param first place of the first among the windows of the run, which begins no epoch anew
 * @param windows each of {@code T + 1} tokens
 * @param numbers which windows of the data these are; see {@link TokenSource#number}
 */
public record Microbatch(long first, int[][] windows, long[] numbers) {

  /** Windows {@code first ..} of the training stream. */
  public static Microbatch training(TokenSource data, long first, int count) {
    long[] numbers = new long[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = data.number(first + i);
    }
    return new Microbatch(first, data.windows(first, count), numbers);
  }

  /** At most {@code count} held-out windows from {@code first} on. */
  public static Microbatch heldOut(TokenSource data, int first, int count) {
    int[][] windows = data.validation(first, count);
    long[] numbers = new long[windows.length];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = data.distinctWindows() + first + i;
    }
    return new Microbatch(first, windows, numbers);
  }
}
