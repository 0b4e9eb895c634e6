package dev.sortie.eetuning.train.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.TinyRanks;
import dev.sortie.eetuning.train.pretrain.PretrainExits;
import dev.sortie.eetuning.train.pretrain.PretrainOptions;
import dev.sortie.eetuning.train.pretrain.PretrainProfiler;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.StagePlan;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.eetuning.train.tune.TuningProfiler;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.ScalarKernels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --stage-split}: what users write, what is measured, and what a run keeps of it. */
@Tag("slow")
class StageSplitContractTest {
  private static final DecoderConfig CONFIG =
      new DecoderConfig(6, 16, 2, 1, 8, 24, 50, 32, 1e-5, 1e4, false, false, false, true);
  private static final Map<String, Object> OF = Map.of("model", "tiny");

  @TempDir private Path out;

  private static StageCosts costs(double layer) {
    return new StageCosts(
        true,
        layer,
        2 * layer,
        0.25,
        0.5,
        new TreeMap<>(Map.of(1, 0.125, 4, 3.0)),
        new TreeMap<>(Map.of(4, 1.0)));
  }

  @Test
  void costsOfAStageAreThoseOfItsParts() {
    StageCosts c = costs(1);
    assertThat(c.forward(1, 4)).isEqualTo(3);
    assertThat(c.rest(0, 3, 6)).as("embedding, exit 1").isEqualTo(6 + 0.25 + 0.125);
    assertThat(c.rest(3, 6, 6)).as("exit 4, its teacher, head").isEqualTo(6 + 3 + 1 + 0.5);
    assertThat(c.rest(1, 3, 6)).isEqualTo(4);
    assertThat(StageCosts.of(c.numbers())).isEqualTo(c);
    assertThat(StageCosts.read(Json.parse("costs", Json.compact(c.describe()), JsonLimits.CONFIG)))
        .isEqualTo(c);
  }

  @Test
  void aRunContinuesWithTheCostsThatItBeganWith() {
    StageCosts counted = costs(7);
    StageCosts first = split(OF, counted, Optional.of(costs(1)));
    assertThat(first).isEqualTo(costs(1));
    assertThat(split(OF, counted, Optional.of(costs(2)))).as("again").isEqualTo(first);
    assertThat(split(Map.of("model", "other"), counted, Optional.of(costs(2))))
        .as("of other work")
        .isEqualTo(costs(2));
  }

  @Test
  void whereTimesAreNotFoundWorkIsCountedAndNothingIsKept() {
    assertThat(split(OF, costs(7), Optional.empty())).isEqualTo(costs(7));
    assertThat(out.resolve("stage-split.json")).doesNotExist();
  }

  private StageCosts split(
      Map<String, Object> of, StageCosts counted, Optional<StageCosts> measured) {
    return new StageCostCache(out, ProcessGroups.single(), new ScalarKernels())
        .measured(of, counted, () -> measured);
  }

  @Test
  void allRanksHaveTheMeanOfWhatTheyMeasured() throws Exception {
    for (int run = 0; run < 2; run++) { // the second one reads what the first one kept
      List<StageCosts> all =
          TinyRanks.run(
              new Mesh(1, 1, 2),
              TinyRanks.Joining.THREADS,
              groups -> {
                try (groups) {
                  Optional<StageCosts> mine = Optional.of(costs(1 + 2 * groups.rank().value()));
                  return new StageCostCache(out, groups, new ScalarKernels())
                      .measured(OF, costs(7), () -> mine);
                }
              });
      assertThat(all).hasSize(2).allMatch(c -> c.forward() == 2 && c.equals(all.getFirst()));
    }
    assertThat(Files.readString(out.resolve("stage-split.json"))).contains("layer_forward");
  }

  @Test
  void wordsSayWhatIsTaken() {
    assertThat(StageSplit.of(null, 1, 1).way()).isEqualTo(StageSplit.Way.MEASURED);
    assertThat(StageSplit.of(null, 2, 2)).isEqualTo(StageSplit.COUNTED);
    assertThat(StageSplit.of("counted", 2, 1)).isEqualTo(StageSplit.COUNTED);
    assertThat(StageSplit.of("4, 8", 3, 1).ends(12, 3, (from, to) -> to - from))
        .containsExactly(4, 8, 12);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "4,", "four", "1.5"})
  void wordsThatMeanNothingAreRefused(String word) {
    assertThatThrownBy(() -> StageSplit.of(word, 2, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--stage-split '" + word + "'")
        .hasMessageContaining("measured, counted");
  }

  @ParameterizedTest
  @CsvSource({"'4', 3", "'4,8,9', 3", "'8,4', 3", "'4,4', 3", "'0,4', 3", "'4,12', 3", "'13', 2"})
  void numbersThatDoNotFitAreRefused(String word, int pieces) {
    assertThatThrownBy(
            () -> StageSplit.of(word, pieces, 1).ends(12, pieces, (from, to) -> to - from))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--stage-split " + word)
        .hasMessageContaining("of 12 layers");
  }

  @Test
  void aLookaheadExitThatReadsLayersOfSeveralStagesIsRefused() {
    ExitOutline joined = new ExitOutline(6, Optional.empty(), true, 0, List.of(1, 3, 5));
    TuneOptions options = options(Objective.KL);
    assertThat(new StagePlan(CONFIG, List.of(joined), options, 12, 1).exits())
        .containsExactly(joined);
    assertThatThrownBy(() -> new StagePlan(CONFIG, List.of(joined), options, 12, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 2")
        .hasMessageContaining("layers [1, 3, 5]");
  }

  @ParameterizedTest
  @EnumSource(Objective.class)
  void partsOfTuningAreMeasured(Objective objective) {
    List<ExitOutline> exits =
        List.of(
            new ExitOutline(2, Optional.of(ExitArchitecture.NORM), true, 20),
            new ExitOutline(4, Optional.of(ExitArchitecture.LAYER), false, 0),
            new ExitOutline(6, Optional.empty(), true, 0));
    try (Device device = Device.cpu(1)) {
      new TuningProfiler(CONFIG, options(objective), 12, 2, device)
          .measure(exits)
          .ifPresent(
              c -> {
                assertThat(c.forward()).isPositive();
                assertThat(c.exits().keySet()).containsExactly(2, 4, 6);
                assertThat(c.exits().values()).allMatch(x -> x > 0);
                assertThat(c.teachers().isEmpty()).isEqualTo(objective == Objective.CE);
              });
    }
  }

  private static TuneOptions options(Objective objective) {
    return new TuneOptions(
        objective,
        false,
        Map.of(),
        2,
        4,
        new Schedule(1e-3, 1e-3, 1, 10, Schedule.Decay.CONSTANT),
        AdamW.Options.DEFAULT,
        1);
  }

  @Test
  void partsOfTrainingFromScratchAreMeasured() {
    ExitSpec exit = new ExitSpec(3, ExitArchitecture.MLP, true);
    PretrainOptions options =
        new PretrainOptions(
                2,
                4,
                new Schedule(1e-3, 1e-3, 1, 10, Schedule.Decay.CONSTANT),
                AdamW.Options.DEFAULT,
                1)
            .withExits(PretrainExits.of(List.of(exit), Map.of(), 1, 1, 0, Schedule.Decay.LINEAR));
    try (Device device = Device.cpu(1)) {
      new PretrainProfiler(CONFIG, options, 12, 2, device)
          .measure()
          .ifPresent(
              c -> {
                assertThat(c.forward()).isPositive();
                assertThat(c.backward()).isPositive();
                assertThat(c.exits().keySet()).containsExactly(3);
              });
    }
  }
}
