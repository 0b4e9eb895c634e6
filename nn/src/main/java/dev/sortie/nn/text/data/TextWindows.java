package dev.sortie.nn.text.data;

import dev.sortie.nn.InputException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/** Windows of a text that is in memory, chosen at random without repetition. */
public final class TextWindows {
  private TextWindows() {}

  /**
   * Some of the windows that a text is cut into, by a seed.
   *
   * @param ids of the text
   * @param length tokens of a window
   * @param count how many
   * @throws InputException if the text has fewer
   */
  public static List<int[]> some(int[] ids, int length, int count, long seed) {
    long all = ids.length / length;
    if (all < count) {
      throw new InputException(
          "%d tokens are %d windows of %d, fewer than the %d asked for; give more text or take fewer or shorter windows"
              .formatted(ids.length, all, length, count));
    }
    Permutation order = new Permutation(all, Permutation.key(seed, 0));
    return LongStream.range(0, count)
        .mapToInt(i -> Math.toIntExact(order.at(i) * length))
        .mapToObj(from -> Arrays.copyOfRange(ids, from, from + length))
        .toList();
  }
}
