package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Sha256;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.model.ModelFiles;
import dev.sortie.nn.model.Precision;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShareBuilder;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks that share the weights of backbone and exits tune as one rank does, but for rounding. */
class SharedTuningContractTest {
  private static final int STEPS = 50;
  private static final int LENGTH = 20;

  @TempDir static Path shared;
  @TempDir Path out;

  @BeforeAll
  static void makeModel() {
    Path model = TinyModel.write(shared.resolve("model"), 4, 16, 290, 1);
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test");
        LanguageModel loaded = LanguageModel.load(model, Precision.F32, device)) {
      ExitsFile.write(
          shared.resolve("exits"),
          new Exits(
              loaded.sha256(),
              Map.of(),
              Stream.of(
                      new ExitSpec(1, ExitArchitecture.MLP, true),
                      new ExitSpec(2, ExitArchitecture.LAYER, true),
                      new ExitSpec(3, ExitArchitecture.NORM, false))
                  .map(s -> ExitInit.COPY.build(s, loaded.decoder(), 7, arena, device.kernels()))
                  .toList()),
          loaded);
    }
  }

  /** How one run ended: the losses, and the hash of the exits file if it came to the end. */
  private record Result(TrainLoop.Outcome outcome, String sha256) {}

  /** What new processes do: every rank loads its share and goes on from the checkpoints. */
  private static List<Result> run(
      Path out, Mesh mesh, Objective objective, boolean sequence, int stopAt) throws Exception {
    return TinyTuning.ranks(mesh, team -> rank(out, team, objective, sequence, stopAt));
  }

  private static Result rank(
      Path out, Team team, Objective objective, boolean sequence, int stopAt) {
    DecoderBuilder builder =
        team.shares().isPresent()
            ? new ShareBuilder(team.shares().get(), sequence)
            : DecoderBuilder.WHOLE;
    try (team;
        Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test");
        LanguageModel loaded =
            LanguageModel.load(
                ModelFiles.open(shared.resolve("model")), Precision.F32, device, builder)) {
      Exits start = ExitsFile.readExact(shared.resolve("exits"), loaded, arena, device.kernels());
      try (ExitTuner tuner =
          new ExitTuner(loaded, start, options(objective), data(loaded), device, team)) {
        int[] done = new int[1];
        TrainLoop.Listener counter =
            new TrainLoop.Listener() {
              @Override
              public void resumed(int step) {
                done[0] = step;
              }

              @Override
              public void step(int steps, Map<String, Double> losses, double rate) {
                done[0] = steps;
              }

              @Override
              public void validated(int steps, Map<String, Double> losses) {}
            };
        LoopOptions loop = new LoopOptions(out, STEPS, 25, 20);
        TrainLoop.Outcome outcome =
            new TrainLoop(tuner, loop, device.kernels(), team, counter, () -> done[0] == stopAt)
                .run();
        return new Result(outcome, finish(out, team, sequence, loaded, tuner, outcome));
      }
    } catch (RuntimeException e) {
      team.abort(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private static String finish(
      Path out,
      Team team,
      boolean sequence,
      LanguageModel loaded,
      ExitTuner tuner,
      TrainLoop.Outcome outcome) {
    if (!outcome.finished() || team.place().dp() > 0) {
      return "";
    }
    Exits tuned = sequence ? tuner.exits(tuner.describe()) : tuner.gated(tuner.describe(), 200);
    if (!team.leads()) {
      ExitsFile.contribute(tuned, loaded);
      return "";
    }
    ExitsFile.write(out, tuned, loaded);
    return Sha256.of(out.resolve(ExitsFile.TENSORS));
  }

  private static TuneOptions options(Objective objective) {
    return new TuneOptions(
        objective,
        true,
        Map.of(2, 0.5),
        2,
        8,
        new Schedule(2e-3, 2e-4, 5, STEPS, Schedule.Decay.COSINE),
        AdamW.Options.DEFAULT,
        5,
        new LookaheadOptions(1, 0));
  }

  /** Rows that count up and down: something to learn. */
  private static RowsSource data(LanguageModel loaded) {
    int vocab = loaded.config().decoder().vocab();
    Random random = new Random(2, 0);
    int[][] rows =
        IntStream.range(0, 40)
            .mapToObj(
                i ->
                    IntStream.range(0, LENGTH + 1)
                        .map(t -> (random.below(i, vocab) + t * (1 + i % 3)) % vocab)
                        .toArray())
            .toArray(int[][]::new);
    return new RowsSource(rows, 5, 3);
  }

  @ParameterizedTest
  @CsvSource({
    "CE, 2, 1, false",
    "KL, 2, 1, false",
    "CE, 4, 1, false",
    "KL, 4, 1, true",
    "CE, 2, 1, true",
    "CE, 2, 2, false"
  })
  void lossesAreThoseOfOneRankAndTheBitsThoseOfTheRunBefore(
      Objective objective, int tp, int dp, boolean sequence) throws Exception {
    Result alone = run(out.resolve("alone"), Mesh.single(), objective, false, STEPS).getFirst();
    Mesh mesh = new Mesh(tp, 1, dp, 1);
    List<Result> first = run(out.resolve("first"), mesh, objective, sequence, STEPS);
    List<Result> again = run(out.resolve("again"), mesh, objective, sequence, STEPS);
    near(alone.outcome().history().losses(), first.getFirst().outcome().history().losses());
    for (int r = 0; r < mesh.world(); r++) {
      assertThat(first.get(r).outcome().history().losses())
          .isEqualTo(first.getFirst().outcome().history().losses())
          .isEqualTo(again.get(r).outcome().history().losses());
      assertThat(first.get(r).outcome().history().validations())
          .isEqualTo(again.get(r).outcome().history().validations());
    }
    assertThat(first.getFirst().sha256()).isEqualTo(again.getFirst().sha256()).hasSize(64);
  }

  private static void near(Map<String, List<Double>> expected, Map<String, List<Double>> found) {
    assertThat(found.keySet()).isEqualTo(expected.keySet()).hasSize(3);
    expected.forEach(
        (exit, losses) -> {
          assertThat(losses).hasSize(STEPS).doesNotHaveDuplicates();
          for (int i = 0; i < STEPS; i++) {
            assertThat(found.get(exit).get(i))
                .as("exit " + exit + ", step " + i)
                .isCloseTo(losses.get(i), within(1e-5 * losses.get(i)));
          }
        });
  }

  @Test
  void aRunThatWasStoppedEndsWithTheBitsOfOneThatWasNot() throws Exception {
    Mesh mesh = new Mesh(2, 1, 2, 1);
    Result straight = run(out.resolve("a"), mesh, Objective.CE, false, STEPS).getFirst();
    assertThat(run(out.resolve("b"), mesh, Objective.CE, false, 17).getFirst().outcome())
        .matches(o -> !o.finished());
    // the checkpoint holds whole tensors: replicas may come or go
    Mesh fewer = new Mesh(2, 1, 1, 1);
    Result resumed = run(out.resolve("b"), fewer, Objective.CE, false, STEPS).getFirst();
    assertThat(resumed.sha256()).isEqualTo(straight.sha256());
    assertThat(resumed.outcome().history().losses())
        .isEqualTo(straight.outcome().history().losses());
  }

  @Test
  void anotherNumberOfSharesIsRefusedForItAddsInAnotherOrder() throws Exception {
    run(out, new Mesh(2, 1, 1, 1), Objective.CE, false, 3);
    assertThatThrownBy(() -> run(out, new Mesh(4, 1, 1, 1), Objective.CE, false, STEPS))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("this run was begun with tp 2, now it is 4");
    assertThatThrownBy(() -> run(out, Mesh.single(), Objective.CE, false, STEPS))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("this run was begun with tp 2, now there is none");
  }
}
