package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PromptLookupContractTest {
  private static final int CAPACITY = 200;

  private static Draft draft(int max, int... text) {
    return new PromptLookup(CAPACITY).draft(new TextAlone().with(text), max);
  }

  @Test
  void aTextThatDoesNotRepeatItselfGivesNoDraft() {
    assertThat(draft(5, 1).length()).isZero();
    assertThat(draft(5, 1, 2, 3, 4).length()).isZero();
  }

  @Test
  void theLongestAgreementCountsThenTheNewest() {
    assertThat(draft(2, 1, 2, 3, 9, 9, 2, 5, 5, 1, 2).tokens()).containsExactly(3, 9);
    assertThat(draft(1, 7, 1, 8, 1, 9, 1).tokens()).containsExactly(9);
    // five tokens agree where a 6 follows, four where a 7 does
    assertThat(draft(1, 5, 1, 2, 3, 4, 6, 9, 1, 2, 3, 4, 7, 5, 1, 2, 3, 4).tokens())
        .containsExactly(6);
  }

  @Test
  void aDraftThatReachesTheEndOfTheTextContinuesInItself() {
    assertThat(draft(6, 4, 5, 6, 4).tokens()).containsExactly(5, 6, 4, 5, 6, 4);
    assertThat(draft(3, 8, 8).tokens()).containsExactly(8, 8, 8);
  }

  @Test
  void kindsGrowWithTheAgreement() {
    int[] long33 = new int[80];
    for (int i = 0; i < long33.length; i++) {
      long33[i] = i % 40;
    }
    assertThat(draft(1, 1, 2, 1).kind()).isZero();
    assertThat(draft(1, 1, 2, 3, 1, 2).kind()).isEqualTo(1);
    assertThat(draft(1, long33).kind()).isEqualTo(Draft.KINDS - 1);
  }

  /** Against a search through the whole text, while it grows and is cut. */
  @Test
  void theIndexFindsWhatASearchFinds() {
    Random random = new Random(2);
    for (int alphabet : new int[] {2, 5, 40}) {
      PromptLookup lookup = new PromptLookup(CAPACITY);
      TextAlone text = new TextAlone().with(0);
      int found = 0;
      for (int round = 0; round < 3000; round++) {
        if (text.length() == CAPACITY || random.nextInt(30) == 0) {
          int kept = random.nextInt(text.length());
          text.tokens.subList(kept, text.length()).clear();
          lookup.rewind(kept);
        }
        int more = random.nextInt(1, 4);
        for (int i = 0; i < more && text.length() < CAPACITY; i++) {
          text.with(random.nextInt(alphabet));
        }
        int max = random.nextInt(1, 16);
        int[] expected = search(text.tokens, max);
        assertThat(lookup.draft(text, max).tokens()).isEqualTo(expected);
        found += expected.length;
      }
      assertThat(found).isGreaterThan(1000);
    }
  }

  private static int[] search(List<Integer> text, int max) {
    int last = text.size() - 1;
    for (int n = 4; n > 0; n--) {
      List<Integer> ends = new ArrayList<>();
      for (int end = last - 1; end - n + 1 >= 0; end--) {
        if (agreement(text, end) >= n) {
          ends.add(end);
        }
      }
      if (!ends.isEmpty()) {
        List<Integer> newest = ends.subList(0, Math.min(32, ends.size()));
        int best = newest.getFirst();
        for (int end : newest) {
          best = agreement(text, end) > agreement(text, best) ? end : best;
        }
        List<Integer> whole = new ArrayList<>(text);
        for (int i = 0; i < max; i++) {
          whole.add(whole.get(best + 1 + i));
        }
        return whole.subList(text.size(), whole.size()).stream().mapToInt(t -> t).toArray();
      }
    }
    return new int[0];
  }

  /** Tokens up to {@code end} that are the text's last ones, at most 32. */
  private static int agreement(List<Integer> text, int end) {
    int count = 0;
    while (count < 32
        && count <= end
        && text.get(end - count).equals(text.get(text.size() - 1 - count))) {
      count++;
    }
    return count;
  }
}
