package dev.sortie.parallel.pipeline;

import static dev.sortie.parallel.pipeline.TrainingSchedule.GPIPE;
import static dev.sortie.parallel.pipeline.TrainingSchedule.INTERLEAVED;
import static dev.sortie.parallel.pipeline.TrainingSchedule.ONE_FORWARD_ONE_BACKWARD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Schedules of training do everything once, in an order that ends, with the idle time of theory.
 */
@Tag("any-kernels")
class TrainingScheduleContractTest {
  private static final double FORWARD = 1;
  private static final double BACKWARD = 2;

  /** A schedule with its sizes. */
  private record Case(TrainingSchedule schedule, Chain chain, int microBatches) {
    List<List<Action>> actions() {
      return schedule.all(chain, microBatches);
    }

    /** Of stages alike, whose chunks share the work of a stage. */
    List<Timed> plan() {
      Function<Chain.Step, Optional<Chain.Step>> needs = chain::needs;
      return Timeline.of(
          actions(),
          s -> (s.action().type() == ComputationType.FORWARD ? FORWARD : BACKWARD) / chain.chunks(),
          needs);
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (int p : new int[] {1, 2, 3, 4, 8}) {
      for (int m : new int[] {1, 2, 3, 4, 7, 8, 16, 32}) {
        cases.add(new Case(GPIPE, new Chain(p, 1), m));
        cases.add(new Case(ONE_FORWARD_ONE_BACKWARD, new Chain(p, 1), m));
        for (int v : new int[] {1, 2, 3, 4}) {
          if (m % p == 0 && (p > 1 || v == 1)) {
            cases.add(new Case(INTERLEAVED, new Chain(p, v), m));
          }
        }
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyMicroBatchGoesForwardThenBackwardOnceThroughEveryChunk(Case c) {
    List<List<Action>> actions = c.actions();
    assertThat(actions).hasSize(c.chain.stages());
    for (List<Action> stage : actions) {
      List<Action> expected = new ArrayList<>();
      for (int chunk = 0; chunk < c.chain.chunks(); chunk++) {
        for (int m = 0; m < c.microBatches; m++) {
          Action forward = new Action(ComputationType.FORWARD, m, chunk);
          Action backward = new Action(ComputationType.BACKWARD, m, chunk);
          expected.addAll(List.of(forward, backward));
          assertThat(stage.indexOf(forward)).isLessThan(stage.indexOf(backward));
        }
      }
      assertThat(stage).containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  /** Gradients are summed in the order of micro-batches, so backwards must come in it. */
  @ParameterizedTest
  @MethodSource("cases")
  void backwardsOfAChunkAscend(Case c) {
    for (List<Action> stage : c.actions()) {
      for (int chunk = 0; chunk < c.chain.chunks(); chunk++) {
        int wanted = chunk;
        assertThat(stage)
            .filteredOn(a -> a.type() == ComputationType.BACKWARD && a.chunk() == wanted)
            .extracting(Action::microBatch)
            .isSorted();
      }
    }
  }

  /** No stage waits for ever, and the time is that of the work and the bubble. */
  @ParameterizedTest
  @MethodSource("cases")
  void theBubbleIsThatOfTheory(Case c) {
    double end = c.plan().stream().mapToDouble(Timed::end).max().orElseThrow();
    double work = c.microBatches * (FORWARD + BACKWARD);
    double bubble = (c.chain.stages() - 1) * (FORWARD + BACKWARD) / c.chain.chunks();
    if (c.schedule == INTERLEAVED || c.microBatches >= c.chain.stages()) {
      assertThat(end).isCloseTo(work + bubble, within(1e-9));
    } else {
      assertThat(end).isLessThanOrEqualTo(work + bubble + 1e-9);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void noMoreActivationsWaitThanTheScheduleSays(Case c) {
    int p = c.chain.stages();
    int v = c.chain.chunks();
    for (int s = 0; s < p; s++) {
      int expected =
          switch (c.schedule) {
            case GPIPE -> c.microBatches;
            case ONE_FORWARD_ONE_BACKWARD -> Math.min(c.microBatches, p - s);
            case INTERLEAVED -> Math.min(c.microBatches * v, 2 * (p - s - 1) + (v - 1) * p + 1);
          };
      int waiting = 0;
      int most = 0;
      for (Action a : c.actions().get(s)) {
        waiting += a.type() == ComputationType.FORWARD ? 1 : -1;
        most = Math.max(most, waiting);
      }
      assertThat(most).as("stage " + s).isEqualTo(expected);
      assertThat(waiting).isZero();
    }
  }

  /**
   * Messages of a pair of stages come in the order in which they were sent. Whoever takes them in
   * that order, each action waiting only for what it needs, comes to the end.
   */
  @ParameterizedTest
  @MethodSource("cases")
  void everyNeedIsAMessageOfItsSender(Case c) {
    List<List<Action>> actions = c.actions();
    Map<Chain.Step, Integer> sent = new HashMap<>();
    for (int from = 0; from < c.chain.stages(); from++) {
      for (int to = 0; to < c.chain.stages(); to++) {
        for (Action taken : c.chain.messages(from, actions.get(from), to)) {
          Chain.Step step = new Chain.Step(to, taken);
          assertThat(sent.put(step, from)).isNull();
          assertThat(c.chain.needs(step).orElseThrow().stage()).isEqualTo(from);
        }
      }
    }
    long needed =
        IntStream.range(0, c.chain.stages())
            .boxed()
            .flatMap(s -> actions.get(s).stream().map(a -> new Chain.Step(s, a)))
            .filter(s -> c.chain.needs(s).isPresent())
            .peek(s -> assertThat(sent).containsKey(s))
            .count();
    assertThat(sent).hasSize((int) needed);
  }

  /** The picture of the paper: 4 stages, the first has three forwards before it takes turns. */
  @Test
  void oneForwardOneBackwardTakesTurns() {
    List<String> first =
        ONE_FORWARD_ONE_BACKWARD.actions(new Chain(4, 1), 0, 6).stream()
            .map(a -> a.type().name().substring(0, 1) + a.microBatch())
            .toList();
    assertThat(String.join(" ", first)).isEqualTo("F0 F1 F2 F3 B0 F4 B1 F5 B2 B3 B4 B5");
  }

  @Test
  void evaluationForwardsAnyNumberOfMicroBatches() {
    for (int p = 1; p <= 4; p++) {
      for (int m = 0; m < 12; m++) {
        Chain chain = new Chain(p, p == 1 ? 1 : 3);
        List<Action> forwards = TrainingSchedule.forwards(chain, m);
        assertThat(forwards).hasSize(m * chain.chunks()).doesNotHaveDuplicates();
        List<List<Action>> all = IntStream.range(0, p).mapToObj(s -> forwards).toList();
        assertThat(Timeline.of(all, s -> 1, chain::needs)).hasSize(forwards.size() * p);
      }
    }
  }

  @Test
  void whatHasNoScheduleIsRefused() {
    assertThatThrownBy(() -> INTERLEAVED.actions(new Chain(2, 2), 0, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("interleaved")
        .hasMessageContaining("3 micro-batches");
    assertThatThrownBy(() -> GPIPE.actions(new Chain(2, 2), 0, 2))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Chain(1, 2)).isInstanceOf(IllegalArgumentException.class);
  }
}
