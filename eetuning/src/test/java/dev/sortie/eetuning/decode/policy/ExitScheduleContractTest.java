package dev.sortie.eetuning.decode.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ExitScheduleContractTest {
  private static final int EXITS = 3;
  private static final int MAX_PENDING = 15;

  /** Tokens of {@code count}, none of which leaves, about which exit 0 is asked. */
  private static List<Integer> asked(ExitSchedule schedule, int count) {
    List<Integer> asked = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (schedule.due(0)) {
        asked.add(i);
      }
      schedule.left(EXITS);
    }
    return asked;
  }

  private static List<Boolean> due(ExitSchedule schedule) {
    return List.of(schedule.due(0), schedule.due(1), schedule.due(2));
  }

  @Test
  void silenceMakesAskingRareUntilTheExitIsTaken() {
    ExitSchedule schedule = new ExitSchedule(EXITS, EXITS, MAX_PENDING, true);
    assertThat(asked(schedule, 100))
        .containsExactly(
            0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96);
    schedule.left(0);
    assertThat(asked(schedule, 11)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 10);
    assertThat(asked(new ExitSchedule(EXITS, EXITS, MAX_PENDING, false), 100)).hasSize(100);
  }

  /** Tokens that left before an exit say nothing about it. */
  @Test
  void onlyTokensThatComeByCount() {
    ExitSchedule schedule = new ExitSchedule(EXITS, EXITS, MAX_PENDING, true);
    for (int i = 0; i < 9; i++) {
      schedule.left(1);
    }
    assertThat(due(schedule)).containsExactly(false, true, true);
  }

  /** Going back gives what was there before, from whichever place. */
  @Test
  void rewoundItIsAsIfTheTokensHadNotBeen() {
    SplittableRandom random = new SplittableRandom(3);
    int start = 7;
    List<Integer> lefts = new ArrayList<>();
    ExitSchedule schedule = new ExitSchedule(EXITS, EXITS, MAX_PENDING, true);
    schedule.start(start);
    for (int i = 0; i < 2000; i++) {
      if (random.nextInt(20) == 0) {
        int kept = random.nextInt(lefts.size() + 1);
        lefts = lefts.subList(0, kept);
        schedule.rewind(start + kept);
      } else {
        int left = random.nextInt(5) == 0 ? random.nextInt(EXITS) : EXITS;
        lefts.add(left);
        schedule.left(left);
      }
      ExitSchedule fresh = new ExitSchedule(EXITS, EXITS, MAX_PENDING, true);
      lefts.forEach(fresh::left);
      assertThat(due(schedule)).isEqualTo(due(fresh));
    }
    schedule.rewind(2);
    schedule.left(EXITS);
    schedule.rewind(2);
    assertThat(asked(schedule, 9)).hasSize(9);
  }

  /** An exit after the last layer leaves no deficit and is evaluated whatever came before. */
  @Test
  void tokensInARowThatLeaveBetweenLayersAreLimited() {
    ExitSchedule schedule = new ExitSchedule(EXITS, EXITS - 1, 2, true);
    schedule.left(0);
    assertThat(schedule.asks(1)).isTrue();
    schedule.left(1);
    assertThat(schedule.pending()).isEqualTo(2);
    assertThat(schedule.asks(0)).isFalse();
    assertThat(schedule.asks(1)).isFalse();
    assertThat(schedule.asks(2)).isTrue();
    schedule.left(2);
    assertThat(schedule.pending()).isZero();
    assertThat(schedule.asks(0)).isTrue();
    assertThat(schedule.asks(0, 2)).isFalse();
  }
}
