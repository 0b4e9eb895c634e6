package dev.sortie.eetuning.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** Pairs on a machine whose clock and speed are made up. */
class PairedRunsContractTest {
  private static final int TOKENS = 100;
  private static final List<String> WAYS = List.of("same", "twice", "slow");
  private static final Map<String, Double> SPEED =
      Map.of("full", 100.0, "same", 100.0, "twice", 200.0, "slow", 50.0);

  /** Decodes at the speed of the way times what the machine gives at the time. */
  private static final class Machine implements PairedRuns.Runner {
    private final DoubleUnaryOperator pace;
    private final List<String> log = new ArrayList<>();
    private double now;

    Machine(DoubleUnaryOperator pace) {
      this.pace = pace;
    }

    @Override
    public PairedRuns.Decoded decode(DecodingVariant variant, PairedRuns.Item item) {
      log.add(variant.strategy());
      double rate = SPEED.get(variant.strategy());
      double start = now;
      for (int i = 1; i < item.options().maxTokens(); i++) {
        now += 1 / (rate * pace.applyAsDouble(now));
      }
      GeneratedToken token =
          new GeneratedToken(7, " a", OptionalInt.empty(), 0.5, Optional.empty());
      return new PairedRuns.Decoded(
          new Generation(
              item.ids(),
              Collections.nCopies(item.options().maxTokens(), token),
              "",
              "length",
              0,
              now - start),
          SpeculationReport.NONE);
    }
  }

  private static DecodingVariant way(String name) {
    return new DecodingVariant(
        name,
        Technique.NONE,
        1,
        List.of(),
        false,
        0,
        _ -> {
          throw new AssertionError("the machine is made up");
        });
  }

  private static PairedRuns.Item item(int prompt, int tokens) {
    return new PairedRuns.Item(
        new int[] {prompt}, new GenerateOptions(tokens, SamplingOptions.GREEDY, List.of(), true));
  }

  private static List<PairedRuns.Outcome> run(Machine machine, int prompts, int rounds) {
    List<PairedRuns.Item> items = new ArrayList<>();
    for (int i = 0; i < prompts; i++) {
      items.add(item(i, TOKENS));
    }
    List<DecodingVariant> variants = WAYS.stream().map(PairedRunsContractTest::way).toList();
    return new PairedRuns(machine, way("full"), variants, items, rounds).run((_, _) -> {});
  }

  private static double speedup(PairedRuns.Outcome outcome) {
    return Median.of(outcome.pairs().stream().mapToDouble(PairedRuns.Pair::ratio));
  }

  @Test
  void aMachineThatChangesItsPaceChangesNoSpeedUp() {
    // from within the second round on, everything takes four times as long
    List<PairedRuns.Outcome> outcomes = run(new Machine(now -> now < 40 ? 1 : 0.25), 3, 3);
    assertThat(outcomes).extracting(o -> o.variant().strategy()).isEqualTo(WAYS);
    assertThat(speedup(outcomes.get(0))).isCloseTo(1, within(1e-9));
    assertThat(speedup(outcomes.get(1))).isCloseTo(2, within(1e-9));
    assertThat(speedup(outcomes.get(2))).isCloseTo(0.5, within(1e-9));
    assertThat(outcomes.get(0).pairs())
        .extracting(p -> Math.round(p.full().decodeTokensPerSecond()))
        .contains(100L, 25L);
  }

  @Test
  void aPaceThatFallsAllTheTimeCancelsOutBetweenPairsOfBothOrders() {
    List<PairedRuns.Outcome> outcomes = run(new Machine(now -> Math.exp(-0.002 * now)), 4, 2);
    for (PairedRuns.Outcome o : outcomes) {
      double expected = SPEED.get(o.variant().strategy()) / SPEED.get("full");
      List<Double> ratios = o.pairs().stream().map(PairedRuns.Pair::ratio).toList();
      assertThat(ratios).anyMatch(r -> r < expected).anyMatch(r -> r > expected);
      assertThat(speedup(o)).isCloseTo(expected, within(1e-3 * expected));
    }
  }

  @Test
  void eachWayRunsNextToFullDepthAndChangesPlacesWithIt() {
    Machine machine = new Machine(_ -> 1);
    run(machine, 2, 2);
    List<String> log = machine.log;
    int perTurn = 2 * WAYS.size();
    assertThat(log).hasSize(perTurn * (1 + 4));
    for (String way : WAYS) {
      List<Boolean> fullFirst = new ArrayList<>();
      for (int i = perTurn; i < log.size(); i += 2) {
        List<String> pair = log.subList(i, i + 2);
        assertThat(pair).contains("full");
        if (pair.contains(way)) {
          fullFirst.add(pair.getFirst().equals("full"));
        }
      }
      assertThat(fullFirst).hasSize(4);
      for (int i = 1; i < fullFirst.size(); i++) {
        assertThat(fullFirst.get(i)).isNotEqualTo(fullFirst.get(i - 1));
      }
    }
    List<String> begins = new ArrayList<>();
    for (int i = perTurn; i < log.size(); i += perTurn) {
      begins.add(log.subList(i, i + 2).stream().filter(w -> !w.equals("full")).findFirst().get());
    }
    assertThat(begins).containsExactly("same", "twice", "slow", "same");
  }

  @Test
  void theUnitsAreTheGenerationsThatRun() {
    Machine machine = new Machine(_ -> 1);
    List<DecodingVariant> variants = WAYS.stream().map(PairedRunsContractTest::way).toList();
    PairedRuns runs =
        new PairedRuns(
            machine, way("full"), variants, List.of(item(0, 2), item(1, 2), item(2, 2)), 2);
    List<Long> done = new ArrayList<>();
    runs.run((n, _) -> done.add(n));
    assertThat(done.getLast()).isEqualTo(runs.units()).isEqualTo(machine.log.size());
    assertThat(done).isSorted();
  }

  /** Of which there are too many for an int: each of these would be a round without a pair. */
  @Test
  void turnsAreCountedAsLongIntegers() {
    int many = 1 << 16;
    Machine machine =
        new Machine(
            now -> {
              if (now > 0.5) {
                throw new IllegalStateException("enough");
              }
              return 1;
            });
    PairedRuns runs =
        new PairedRuns(
            machine,
            way("full"),
            List.of(way("same")),
            Collections.nCopies(many, item(0, 3)),
            many);
    assertThat(runs.units()).isEqualTo(2L + 2L * many * many);
    assertThatThrownBy(() -> runs.run((_, _) -> {})).hasMessage("enough");
    assertThat(machine.log).hasSizeGreaterThan(2);
  }

  @Test
  void aTextOfOneTokenHasNoSpeedAndIsNoPair() {
    List<PairedRuns.Outcome> outcomes =
        new PairedRuns(
                new Machine(_ -> 1),
                way("full"),
                List.of(way("twice")),
                List.of(item(0, 1), item(1, 3)),
                2)
            .run((_, _) -> {});
    assertThat(outcomes.getFirst().pairs()).hasSize(4);
    assertThat(outcomes.getFirst().timed()).hasSize(2).allMatch(p -> p.full().promptIds()[0] == 1);
    assertThat(outcomes.getFirst().firstRound())
        .extracting(d -> d.generation().tokens().size())
        .containsExactly(1, 3);
  }
}
