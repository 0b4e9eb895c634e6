package dev.sortie.tensor.kernel.simd.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.kernel.simd.vector.Trials.Trial;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Of two ways the one that was faster is taken, and both are tried now and then. */
class TrialsContractTest {
  private static final long FIRST = 1000;

  private final Trial trial = new Trials(1, FIRST).of(0);

  /** Ends a round in which the second way was faster so many times. */
  private void round(int faster) {
    for (int call = 0; call < Trial.CALLS; call++) {
      assertThat(trial.due(0)).as("call %d of a round", call).isTrue();
      trial.end(call < faster);
    }
  }

  @Test
  void nothingIsTriedBeforeTheFirstRound() {
    assertThat(trial.due(FIRST - 1)).isFalse();
    assertThat(trial.second()).isFalse();
    assertThat(trial.due(1)).isTrue();
  }

  @Test
  void theWayThatWonMostCallsIsKeptUntilTheNextRoundSaysOtherwise() {
    assertThat(trial.due(FIRST)).isTrue();
    round(Trial.CALLS / 2 + 1);
    assertThat(trial.second()).isTrue();

    assertThat(trial.due(FIRST - 1)).as("before as many bytes again").isFalse();
    assertThat(trial.due(1)).isTrue();
    assertThat(trial.second()).as("while a round is under way").isTrue();
    round(Trial.CALLS / 2);
    assertThat(trial.second()).isFalse();
  }

  @Test
  void aRoundBeginsAtLeastEachSoManyBytes() {
    assertThat(trial.due(10 * Trial.MOST_BYTES)).isTrue();
    round(0);
    assertThat(trial.due(Trial.MOST_BYTES - 1)).isFalse();
    assertThat(trial.due(1)).isTrue();
  }

  /** The last calls of a round may be under way on several threads. */
  @Test
  void aCallThatEndsAfterItsRoundIsNotCounted() {
    assertThat(trial.due(FIRST)).isTrue();
    round(0);
    trial.end(true);
    assertThat(trial.second()).isFalse();
    assertThat(trial.due(0)).isFalse();
  }

  /** What a call did: items of one way. */
  private record Part(int begin, int end, boolean second) {}

  @Test
  void aTrialDoesEachItemOnceHalfInEitherWayInTurns() {
    List<Part> parts = new ArrayList<>();
    for (int call = 0; call < 2; call++) {
      trial.run((begin, end, second) -> parts.add(new Part(begin, end, second)), 3, 10, FIRST, 7);
    }
    assertThat(parts)
        .containsExactly(
            new Part(3, 6, false),
            new Part(6, 10, true),
            new Part(3, 6, true),
            new Part(6, 10, false));
  }

  @Test
  void tooFewItemsAreNotHalved() {
    List<Part> parts = new ArrayList<>();
    trial.run((begin, end, second) -> parts.add(new Part(begin, end, second)), 3, 10, FIRST, 8);
    assertThat(parts).containsExactly(new Part(3, 10, false));
  }

  /** A way that takes a thousand times as long loses, wherever it begins. */
  @Test
  void theFasterWayIsTaken() {
    for (boolean slow : new boolean[] {false, true}) {
      Trial one = new Trials(1, 1).of(0);
      List<Boolean> taken = new ArrayList<>();
      for (int call = 0; call <= Trial.CALLS; call++) {
        one.run(
            (begin, end, second) -> {
              taken.add(second);
              long until = System.nanoTime() + (second == slow ? 2_000_000 : 0);
              while (System.nanoTime() < until) {
                Thread.onSpinWait();
              }
            },
            0,
            8,
            call == 0 ? 1 : 0,
            2);
      }
      assertThat(taken).hasSize(2 * Trial.CALLS + 1).last().isEqualTo(!slow);
    }
  }

  @Test
  void kindsAreTriedApart() {
    Trials trials = new Trials(2, FIRST);
    assertThat(trials.of(0)).isSameAs(trials.of(0)).isNotSameAs(trials.of(1));
  }
}
