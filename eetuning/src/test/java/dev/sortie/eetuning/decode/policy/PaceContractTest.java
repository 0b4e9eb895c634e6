package dev.sortie.eetuning.decode.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PaceContractTest {
  private static final int EXITS = 3;

  /** Tokens of {@code count}, none of which leaves, about which exit 0 is asked. */
  private static List<Integer> asked(Pace pace, int count) {
    List<Integer> asked = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (pace.due(0)) {
        asked.add(i);
      }
      pace.left(EXITS);
    }
    return asked;
  }

  private static List<Boolean> due(Pace pace) {
    return List.of(pace.due(0), pace.due(1), pace.due(2));
  }

  @Test
  void silenceMakesAskingRareUntilTheExitIsTaken() {
    Pace pace = new Pace(EXITS, true);
    assertThat(asked(pace, 100))
        .containsExactly(
            0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96);
    pace.left(0);
    assertThat(asked(pace, 11)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 10);
    assertThat(asked(new Pace(EXITS, false), 100)).hasSize(100);
  }

  /** Tokens that left before an exit say nothing about it. */
  @Test
  void onlyTokensThatComeByCount() {
    Pace pace = new Pace(EXITS, true);
    for (int i = 0; i < 9; i++) {
      pace.left(1);
    }
    assertThat(due(pace)).containsExactly(false, true, true);
  }

  /** Going back gives what was there before, from whichever place. */
  @Test
  void rewoundItIsAsIfTheTokensHadNotBeen() {
    SplittableRandom random = new SplittableRandom(3);
    int start = 7;
    List<Integer> lefts = new ArrayList<>();
    Pace pace = new Pace(EXITS, true);
    pace.start(start);
    for (int i = 0; i < 2000; i++) {
      if (random.nextInt(20) == 0) {
        int kept = random.nextInt(lefts.size() + 1);
        lefts = lefts.subList(0, kept);
        pace.rewind(start + kept);
      } else {
        int left = random.nextInt(5) == 0 ? random.nextInt(EXITS) : EXITS;
        lefts.add(left);
        pace.left(left);
      }
      Pace fresh = new Pace(EXITS, true);
      lefts.forEach(fresh::left);
      assertThat(due(pace)).isEqualTo(due(fresh));
    }
    pace.rewind(2);
    pace.left(EXITS);
    pace.rewind(2);
    assertThat(asked(pace, 9)).hasSize(9);
  }
}
