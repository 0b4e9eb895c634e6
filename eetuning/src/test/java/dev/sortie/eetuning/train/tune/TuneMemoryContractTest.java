package dev.sortie.eetuning.train.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.train.DryRun;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.eetuning.train.TinyRanks;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.StageSplit;
import dev.sortie.nn.InputException;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.AvailableMemory;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelMemory;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The workspace of tuning is what docs/memory.md says, for exits of type mlp. */
@Tag("any-kernels")
@Tag("slow")
class TuneMemoryContractTest {
  private static final int LAYERS = 7;
  private static final int WIDTH = 64;
  private static final int FFN = 176;
  private static final int VOCAB = 600;
  private static final int TOKENS = 64;

  /** Parameters of an exit. */
  private static final long EXIT = VOCAB * WIDTH + 3 * WIDTH * FFN + WIDTH;

  private static final DecoderConfig CONFIG =
      new DecoderConfig(
          LAYERS, WIDTH, 4, 4, 16, FFN, VOCAB, TOKENS, 1e-5, 1e4, false, false, false, false);

  private static final ModelMemory NO_WEIGHTS = new ModelMemory(0, 0, 0, 0, 0);

  private static TuneOptions options(Objective objective, int sequences) {
    Schedule schedule = new Schedule(1e-3, 1e-3, 0, 10, Schedule.Decay.CONSTANT);
    return new TuneOptions(
        objective, false, Map.of(), sequences, 2 * sequences, schedule, AdamW.Options.DEFAULT, 1);
  }

  private static long workspace(Objective objective, int sequences, List<Integer> depths) {
    List<ExitSpec> specs =
        depths.stream().map(d -> new ExitSpec(d, ExitArchitecture.MLP, true)).toList();
    return workspace(options(objective, sequences), specs);
  }

  private static long workspace(TuneOptions options, List<ExitSpec> specs) {
    return memory(options, specs, ProcessGroups.single(), DecoderBuilder.WHOLE).activations();
  }

  private static RankMemory memory(
      TuneOptions options, List<ExitSpec> specs, ProcessGroups groups, DecoderBuilder builder) {
    int[][] rows = new int[5][TOKENS + 1];
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      Decoder decoder =
          builder.build(CONFIG, arena, new RandomWeights(new Random(1, 0), 0.02, LAYERS, arena));
      HfConfig config = new HfConfig(CONFIG, OptionalInt.empty(), List.of(), Optional.empty());
      LanguageModel model =
          new LanguageModel(
              null,
              config,
              decoder,
              null,
              null,
              arena,
              null,
              Precision.F32,
              Arithmetic.EXACT,
              device);
      List<Exit> exits =
          specs.stream()
              .map(s -> ExitInit.RANDOM.build(s, decoder, 1, arena, device.kernels()))
              .toList();
      try (ExitTuner tuner =
          new ExitTuner(
              model,
              new Exits("none", Map.of(), exits),
              options,
              new RowsSource(rows, 1, 1),
              device,
              TunePlacement.on(groups))) {
        tuner.step(0);
        tuner.step(1);
        RankMemory memory = tuner.memory(NO_WEIGHTS, true);
        assertThat(memory.activations()).isEqualTo(tuner.workspaceBytes());
        return memory;
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 3", "4, 3", "16, 3", "4, 6"})
  void crossEntropy(long sequences, int deepest) {
    List<Integer> depths = Stream.iterate(1, d -> d <= deepest, d -> d + 1).toList();
    long rows = sequences * TOKENS;
    long chunk = Math.min(rows, 512);
    long states = 2L * deepest + 1;
    long floats =
        rows * (states * WIDTH + 7 * WIDTH + 6 * FFN) + chunk * VOCAB + VOCAB * WIDTH + EXIT;
    assertThat(workspace(Objective.CE, (int) sequences, depths))
        .isCloseTo(4 * floats, withinPercentage(5));
  }

  @ParameterizedTest
  @CsvSource({"1, 3", "4, 3", "16, 3", "4, 6"})
  void divergence(long sequences, int deepest) {
    List<Integer> depths = Stream.iterate(1, d -> d <= deepest, d -> d + 1).toList();
    long rows = sequences * TOKENS;
    long chunk = Math.min(rows, 512);
    long states = 2L * deepest + 3;
    long each = rows * (6 * WIDTH + 3 * FFN) + VOCAB * WIDTH + EXIT;
    long floats =
        rows * (states * WIDTH + 3 * WIDTH + 3 * FFN) + deepest * each + 3 * chunk * VOCAB;
    assertThat(workspace(Objective.KL, (int) sequences, depths))
        .isCloseTo(4 * floats, withinPercentage(5));
  }

  private static List<ExitSpec> specs(ExitArchitecture architecture) {
    return Stream.of(1, 3, 4).map(d -> new ExitSpec(d, architecture, true)).toList();
  }

  private static List<ExitOutline> outlines(List<ExitSpec> specs) {
    return specs.stream()
        .map(
            s ->
                new ExitOutline(
                    s.depth(), Optional.of(s.architecture()), s.ownHead(), s.draftTokens()))
        .toList();
  }

  private static TuneDryRun plan(
      TuneOptions options, List<ExitSpec> specs, Mesh mesh, boolean sequence) {
    List<ExitOutline> exits = outlines(specs);
    return new TuneDryRun(
        CONFIG,
        exits,
        options,
        TOKENS,
        mesh,
        new StagePlan(CONFIG, exits, options, TOKENS, mesh.pp()),
        sequence,
        true,
        at -> NO_WEIGHTS);
  }

  /** What {@code --dry-run} prints is what a run takes, for every architecture. */
  @ParameterizedTest
  @CsvSource({
    "CE, EMBEDDING",
    "CE, NORM",
    "CE, MLP",
    "CE, LAYER",
    "KL, EMBEDDING",
    "KL, NORM",
    "KL, MLP",
    "KL, LAYER"
  })
  void thePlanIsTheWorkspace(Objective objective, ExitArchitecture architecture) {
    TuneOptions options = options(objective, 16);
    List<ExitSpec> specs = specs(architecture);
    assertThat(plan(options, specs, Mesh.single(), false).of(new Coordinates(0, 0, 0)))
        .isEqualTo(memory(options, specs, ProcessGroups.single(), DecoderBuilder.WHOLE));
  }

  /** The same with heads over some tokens, own ones and rows of the backbone's. */
  @ParameterizedTest
  @CsvSource({"CE, true", "CE, false", "KL, true", "KL, false"})
  void thePlanKnowsDraftHeads(Objective objective, boolean own) {
    TuneOptions options = options(objective, 16);
    List<ExitSpec> specs = List.of(new ExitSpec(2, ExitArchitecture.MLP, own, 100));
    assertThat(plan(options, specs, Mesh.single(), false).of(new Coordinates(0, 0, 0)))
        .isEqualTo(memory(options, specs, ProcessGroups.single(), DecoderBuilder.WHOLE));
  }

  /** The same on each of several ranks. */
  @ParameterizedTest
  @CsvSource({
    "2, 1, 1, CE, NORM, false",
    "2, 1, 1, CE, MLP, false",
    "2, 1, 1, CE, LAYER, false",
    "2, 1, 1, KL, MLP, false",
    "2, 1, 1, KL, LAYER, false",
    "2, 1, 1, CE, MLP, true",
    "2, 1, 1, KL, LAYER, true",
    "1, 2, 1, CE, MLP, false",
    "1, 1, 2, CE, MLP, false",
    "1, 1, 2, KL, LAYER, false",
    "2, 1, 2, KL, MLP, true"
  })
  void thePlanOfEachOfSeveralRanksIsItsMemory(
      int tp, int dp, int pp, Objective objective, ExitArchitecture architecture, boolean sequence)
      throws Exception {
    TuneOptions options = options(objective, 16);
    List<ExitSpec> specs = specs(architecture);
    Mesh mesh = new Mesh(tp, dp, pp);
    TuneDryRun plan = plan(options, specs, mesh, sequence);
    List<RankMemory> found =
        TinyRanks.run(
            mesh,
            TinyRanks.Joining.THREADS,
            groups -> {
              try (groups) {
                DecoderBuilder builder =
                    groups
                        .tensorParallel()
                        .<DecoderBuilder>map(group -> new ShardBuilder(group, sequence))
                        .orElse(DecoderBuilder.WHOLE);
                return memory(options, specs, groups, builder);
              }
            });
    for (int rank = 0; rank < mesh.world(); rank++) {
      assertThat(plan.of(mesh.coordinates(new GlobalRank(rank))))
          .as("rank %d of %s", rank, mesh)
          .isEqualTo(found.get(rank));
    }
  }

  @Test
  void theLargestMicroBatchFitsAndTheNextDoesNot() {
    Coordinates at = new Coordinates(0, 0, 0);
    TuneDryRun plan =
        plan(options(Objective.CE, 1), specs(ExitArchitecture.MLP), Mesh.single(), false);
    for (int sequences : new int[] {1, 2, 7, 40}) {
      long bytes = plan.of(at, sequences).total();
      assertThat(plan.largestMicroBatch(at, bytes)).isEqualTo(sequences);
      assertThat(plan.largestMicroBatch(at, bytes - 1)).isEqualTo(sequences - 1);
    }
  }

  @Test
  void aRunThatDoesNotFitIsRefusedWithTheMicroBatchThatDoes() {
    Coordinates at = new Coordinates(0, 0, 0);
    TuneDryRun plan =
        plan(options(Objective.CE, 7), specs(ExitArchitecture.MLP), Mesh.single(), false);
    long needed = plan.of(at).total();
    plan.require(at, available(needed), 1);
    plan.require(at, available(3 * needed), 3);
    assertRefused(
        () -> plan.require(at, available(needed - 1), 1),
        List.of("--micro-batch 7: rank 0 needs", "(a test)", "take --micro-batch 6 or less"));
    assertRefused(
        () -> plan.require(at, available(2 * needed), 3),
        List.of("to each of 3 ranks", "--micro-batch"));
    assertRefused(
        () -> plan.require(at, available(DryRun.JVM), 1), List.of("none fits", "--tp or --pp"));
  }

  /** The system reads them from the file again where they do not fit. */
  @Test
  void weightsThatAreUsedInPlaceNeedNotFit() {
    Coordinates at = new Coordinates(0, 0, 0);
    TuneDryRun all =
        plan(options(Objective.CE, 7), specs(ExitArchitecture.MLP), Mesh.single(), false);
    ModelMemory weights = new ModelMemory(1000, 0, 1L << 40, 0, 0);
    TuneDryRun plan =
        new TuneDryRun(
            CONFIG,
            all.exits(),
            all.options(),
            TOKENS,
            all.mesh(),
            all.stages(),
            false,
            true,
            rank -> weights);
    assertThat(plan.of(at).weights()).isEqualTo(weights.resident());
    plan.require(at, available(all.of(at).total() + 1000), 1);
    assertRefused(
        () -> plan.require(at, available(all.of(at).total() + 999), 1), List.of("--micro-batch 6"));
  }

  /** A step of many micro-batches takes the memory of one of two, and a dry run no longer. */
  @Test
  void aDryRunOfManyMicroBatchesIsThatOfTwo() {
    Coordinates at = new Coordinates(0, 0, 0);
    TuneOptions two = options(Objective.KL, 2);
    List<ExitSpec> specs = specs(ExitArchitecture.LAYER);
    RankMemory expected = plan(two, specs, Mesh.single(), false).of(at);
    assertThat(memory(two.with(2, 9), specs, ProcessGroups.single(), DecoderBuilder.WHOLE))
        .isEqualTo(expected);
    assertThat(plan(two.with(2, 1 << 14), specs, Mesh.single(), false).of(at)).isEqualTo(expected);
  }

  /** A dry run takes a cut that is given, as a run does. */
  @Test
  void thePlanHasTheStagesThatAreGiven() {
    TuneOptions options = options(Objective.CE, 4);
    List<ExitOutline> exits = outlines(specs(ExitArchitecture.MLP));
    Mesh mesh = new Mesh(1, 1, 2);
    Coordinates last = new Coordinates(0, 0, 1);
    List<Long> parameters =
        Stream.of("1", "2", "3")
            .map(
                word ->
                    new TuneDryRun(
                            CONFIG,
                            exits,
                            options,
                            TOKENS,
                            mesh,
                            new StagePlan(
                                CONFIG, exits, options, TOKENS, StageSplit.of(word, 2, 1), 2),
                            false,
                            true,
                            at -> NO_WEIGHTS)
                        .of(last)
                        .exits())
            .toList();
    assertThat(parameters).containsExactly(4 * 2 * EXIT, 4 * 2 * EXIT, 4 * EXIT);
  }

  private static void assertRefused(ThrowingCallable run, List<String> parts) {
    assertThatThrownBy(run).isInstanceOf(InputException.class).message().contains(parts);
  }

  private static AvailableMemory available(long bytes) {
    return new AvailableMemory(bytes, "a test");
  }
}
