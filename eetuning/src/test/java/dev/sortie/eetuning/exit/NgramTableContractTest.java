package dev.sortie.eetuning.exit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NgramTableContractTest {
  private static final int NONE = NgramTable.NONE;

  private static void assertEntry(NgramTable table, int before, int last, int next, double p) {
    int entry = table.find(before, last);
    assertThat(table.next(entry)).isEqualTo(next);
    assertThat(table.probability(entry)).isCloseTo((float) p, offset(1e-6f));
  }

  @Test
  void theMostFrequentTokenAfterOneOrTwoOthersIsFound() {
    NgramTable table = NgramTable.count(new int[] {1, 2, 3, 1, 2, 3, 1, 2, 4, 9, 2, 4, 9, 2, 4});
    assertEntry(table, 1, 2, 3, 1.5 / 3.5); // of three times, 3 twice and 4 once
    assertEntry(table, NONE, 2, 4, 2.5 / 5.5); // of five times, 4 three times
    assertEntry(table, 9, 2, 4, 1.5 / 2.5);
  }

  @Test
  void onePrecedingTokenServesWhereTwoWereNotSeen() {
    NgramTable table = NgramTable.count(new int[] {1, 2, 5, 2, 5});
    assertEntry(table, 7, 2, 5, 1.5 / 2.5);
    assertThat(table.find(NONE, 7)).isNegative();
    assertThat(table.find(2, 7)).isNegative();
  }

  @Test
  void whatWasSeenOnceIsLeftOut() {
    assertThat(NgramTable.count(new int[] {1, 2, 3, 4}).size()).isZero();
    assertThat(NgramTable.count(new int[0]).size()).isZero();
    assertThat(NgramTable.count(new int[] {3}).size()).isZero();
  }

  @Test
  void largeIdsAreKeptApart() {
    int high = NgramTable.MAX_VOCAB - 1;
    NgramTable table = NgramTable.count(new int[] {high, high, high, 0, high, high, 0});
    assertEntry(table, high, high, 0, 1.5 / 3.5);
    assertThat(table.last(table.find(high, high))).isEqualTo(high);
    assertThat(table.before(table.find(high, high))).isEqualTo(high);
    assertThat(table.before(table.find(NONE, high))).isEqualTo(NONE);
    assertThatThrownBy(() -> NgramTable.count(new int[] {high + 2, 1, 1}))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  /** Counted again with maps. */
  @Test
  void randomTextIsCountedRight() {
    int[] tokens = new Random(3).ints(5000, 0, 30).toArray();
    NgramTable table = NgramTable.count(tokens);
    for (int length = 1; length <= 2; length++) {
      Map<Long, Map<Integer, Integer>> counts = new HashMap<>();
      for (int i = length; i < tokens.length; i++) {
        int before = length == 1 ? NONE : tokens[i - 2];
        counts
            .computeIfAbsent(NgramTable.context(before, tokens[i - 1]), c -> new HashMap<>())
            .merge(tokens[i], 1, Integer::sum);
      }
      for (int last = 0; last < 30; last++) {
        for (int before = length == 1 ? NONE : 0; before < (length == 1 ? 0 : 30); before++) {
          Map<Integer, Integer> seen =
              counts.getOrDefault(NgramTable.context(before, last), Map.of());
          int most = seen.values().stream().mapToInt(c -> c).max().orElse(0);
          int all = seen.values().stream().mapToInt(c -> c).sum();
          if (most >= 2) {
            int entry = table.find(before, last);
            assertThat(table.before(entry)).isEqualTo(before);
            assertThat(seen.get(table.next(entry))).isEqualTo(most);
            assertThat(table.probability(entry)).isEqualTo((most - 0.5f) / (all + 0.5f));
          }
        }
      }
    }
  }
}
