package dev.sortie.eetuning.train.rank;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;

/** Names of which each rank knows some. */
public final class GatheredNames {
  private static final String END = "\n";

  private GatheredNames() {}

  /**
   * The names of all ranks, each once, in the order of the ranks. A collective call.
   *
   * @param mine those of this rank, without line breaks
   */
  public static List<String> of(ProcessGroups groups, Collection<String> mine) {
    byte[] text =
        String.join("", mine.stream().map(name -> name + END).toList())
            .getBytes(StandardCharsets.UTF_8);
    List<Long> lengths = groups.gather(text.length);
    int rank = groups.rank().value();
    int at = sum(lengths.subList(0, rank));
    long[] table = new long[sum(lengths)];
    for (int i = 0; i < text.length; i++) {
      table[at + i] = text[i];
    }
    long[] merged = groups.sum(table);
    byte[] all = new byte[merged.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) merged[i];
    }
    return new String(all, StandardCharsets.UTF_8).lines().distinct().toList();
  }

  private static int sum(List<Long> lengths) {
    return Math.toIntExact(lengths.stream().mapToLong(Long::longValue).sum());
  }
}
