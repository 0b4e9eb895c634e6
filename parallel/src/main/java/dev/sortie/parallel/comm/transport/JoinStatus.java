package dev.sortie.parallel.comm.transport;

import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Which ranks have joined and which have not, in words. */
public final class JoinStatus {
  private JoinStatus() {}

  /**
   * Such as {@code rank 0 waits for ranks 2 and 3 to join; ranks 0 and 1 have come}.
   *
   * @param rank that waits
   * @param ranks the numbers of all, in order
   * @param hasCome by place in {@code ranks}
   */
  public static String describe(int rank, List<Integer> ranks, IntPredicate hasCome) {
    return "rank %d waits for %s to join; %s come"
        .formatted(
            rank, names(ranks, hasCome.negate()), names(ranks, hasCome) + has(ranks, hasCome));
  }

  private static String has(List<Integer> ranks, IntPredicate hasCome) {
    return places(ranks, hasCome).count() == 1 ? " has" : " have";
  }

  private static String names(List<Integer> ranks, IntPredicate which) {
    List<String> names = places(ranks, which).mapToObj(i -> String.valueOf(ranks.get(i))).toList();
    if (names.size() < 2) {
      return "rank " + String.join("", names);
    }
    String all = names.stream().limit(names.size() - 1).collect(Collectors.joining(", "));
    return "ranks " + all + " and " + names.getLast();
  }

  private static IntStream places(List<Integer> ranks, IntPredicate which) {
    return IntStream.range(0, ranks.size()).filter(which);
  }
}
