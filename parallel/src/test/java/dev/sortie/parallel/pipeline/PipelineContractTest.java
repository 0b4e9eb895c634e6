package dev.sortie.parallel.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Schedules do all that is to be done, in an order in which nobody waits for ever. */
@Tag("any-kernels")
class PipelineContractTest {

  private static List<Action> stream(ForwardOnly schedule, int perStep) {
    List<Action> actions = new ArrayList<>();
    for (long first = 0; first < schedule.end(); first += perStep) {
      actions.addAll(
          schedule.step(schedule.forwarded(first) * (first > 0 ? 1 : 0), first, perStep));
    }
    return actions;
  }

  private static List<List<Action>> all(int stages, int slack, int steps, int perStep) {
    return IntStream.range(0, stages)
        .mapToObj(s -> stream(new ForwardOnly(s, stages, slack, (long) steps * perStep), perStep))
        .toList();
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "2, 0", "2, 1", "4, 0", "4, 1", "8, 1"})
  void everyMicroBatchIsForwardedAndTrainedOnceInOrderOnEveryStage(int stages, int slack) {
    List<Action> ascending = new ArrayList<>();
    IntStream.range(0, 15).forEach(m -> ascending.add(new Action(ComputationType.TRAIN, m)));
    for (List<Action> actions : all(stages, slack, 5, 3)) {
      assertThat(actions).hasSize(30).doesNotHaveDuplicates();
      assertThat(actions).filteredOn(a -> a.type() == ComputationType.TRAIN).isEqualTo(ascending);
      assertThat(actions)
          .filteredOn(a -> a.type() == ComputationType.FORWARD)
          .isEqualTo(
              ascending.stream()
                  .map(a -> new Action(ComputationType.FORWARD, a.microBatch()))
                  .toList());
      for (Action a : ascending) {
        assertThat(actions.indexOf(new Action(ComputationType.FORWARD, a.microBatch())))
            .isLessThan(actions.indexOf(a));
      }
    }
  }

  /** With stages alike, all but the fill of the pipeline is work; it does not drain at a step. */
  @ParameterizedTest
  @CsvSource({"2, 0, false", "4, 0, false", "2, 1, true", "4, 1, true"})
  void thePipelineFillsOnce(int stages, int slack, boolean returns) {
    double[] ones = new double[stages];
    Arrays.fill(ones, 1);
    List<Timed> plan = Timeline.of(all(stages, slack, 10, 4), ones, ones, returns);
    double end = plan.stream().mapToDouble(Timed::end).max().orElseThrow();
    assertThat(end).isLessThanOrEqualTo(2 * 40 + 2 * (stages - 1) + slack);
    assertThat(plan).hasSize(stages * 80);
  }

  @Test
  void aScheduleThatCannotEndIsNoPlan() {
    List<List<Action>> stuck =
        List.of(
            List.of(new Action(ComputationType.TRAIN, 0), new Action(ComputationType.FORWARD, 0)));
    assertThatThrownBy(() -> Timeline.of(stuck, new double[] {1}, new double[] {1}, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("stage 0 waits for ever");
  }

  @Test
  void theSlowestStageOfASplitIsAsFastAsCanBe() {
    Random random = new Random(5);
    for (int round = 0; round < 50; round++) {
      double[] costs = random.doubles(7, 0, 1).toArray();
      BalancedSplit.Cost cost = (from, to) -> Arrays.stream(costs, from, to).sum();
      List<Integer> ends = BalancedSplit.ends(7, 3, cost);
      double best = Double.POSITIVE_INFINITY;
      for (int a = 1; a < 6; a++) {
        for (int b = a + 1; b < 7; b++) {
          best = Math.min(best, slowest(cost, List.of(a, b, 7)));
        }
      }
      assertThat(ends).hasSize(3).endsWith(7);
      assertThat(slowest(cost, ends)).isCloseTo(best, within(1e-12));
    }
    assertThatThrownBy(() -> BalancedSplit.ends(2, 3, (from, to) -> 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static double slowest(BalancedSplit.Cost cost, List<Integer> ends) {
    double slowest = 0;
    int from = 0;
    for (int end : ends) {
      slowest = Math.max(slowest, cost.of(from, end));
      from = end;
    }
    return slowest;
  }

  @Test
  void theRunnerDoesTheActionsInOrderAndTimesThem() {
    List<String> done = new ArrayList<>();
    List<Timed> times = new ArrayList<>();
    ForwardOnly schedule = new ForwardOnly(0, 2, 0, 2);
    new ScheduleRunner(0, a -> {}, a -> done.add(a.type() + " " + a.microBatch()), times::add)
        .run(schedule.step(0, 0, 2));
    assertThat(done).containsExactly("FORWARD 0", "FORWARD 1", "TRAIN 0", "TRAIN 1");
    assertThat(times).extracting(t -> t.action().microBatch()).containsExactly(0L, 1L, 0L, 1L);
    assertThat(times).allMatch(t -> t.start() <= t.end() && t.stage() == 0);
  }
}
